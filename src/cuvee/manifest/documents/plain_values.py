"""Plain Python values of a source tree, for mappings that another program gives their meaning."""

import yaml

from cuvee.manifest.documents.source_tree import MappingNode, ScalarNode, SequenceNode, SourceNode


def plain_mapping(node: MappingNode) -> dict[object, object]:
    """Return the value that `yaml.safe_load` would give a mapping: numbers, booleans, dates and texts.

    Its types are YAML 1.1's, https://yaml.org/type/, as conda reads its configuration.
    """
    return {_value(key): _value(value) for key, value in node.entries}


def _value(node: SourceNode) -> object:
    match node:
        case SequenceNode():
            return [_value(item) for item in node.items]
        case MappingNode():
            return plain_mapping(node)
        case ScalarNode(plain=False):
            return node.text
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, node.text, (True, False))  # type: ignore[no-untyped-call]
    return loader.construct_object(yaml.ScalarNode(tag, node.text))
