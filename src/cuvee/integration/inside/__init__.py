"""Scripts of the standard library alone that run outside cuvee: in an installed release, or around it.

``isolate`` runs under the host's Python and takes the network away; the others run under the release's
own Python, which may be older than cuvee's, and import nothing of cuvee.
"""
