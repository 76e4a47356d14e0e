"""The root ceremony: several people, several machines, keys that are lost, and mistakes."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import Key, Signature, Signer, SSlibKey

from cuvee.errors import IntegrityError, UsageError
from cuvee.trust.trust_folder import (
    RoleKeys,
    begin,
    complete,
    merged,
    pending,
    renewed,
    roles_of,
    signed_by,
)
from signed_sites import KEYS, NEW, NOW, SIGNERS, Site, new_trust, role_keys, signed_by_all


def test_nothing_is_complete_before_the_quorum_has_signed() -> None:
    files = begin(role_keys(), NOW)
    with pytest.raises(UsageError, match=r"1\.root\.json, by root: 2 of alice \(\w+\), bob"):
        complete(files)
    files |= signed_by(files, SIGNERS["alice"])
    assert {item.needed for item in pending(files)} == {1}
    files |= signed_by(files, SIGNERS["carol"])
    roots, targets = complete(files)
    assert roots.newest.signed.version == targets.signed.version == 1


def test_copies_on_machines_that_never_meet_are_merged_in_any_order() -> None:
    draft = begin(role_keys(), NOW)
    copies = [draft | signed_by(draft, SIGNERS[name]) for name in ("alice", "bob")]
    one = draft | merged(draft, copies)
    two = draft | merged(draft, reversed(copies))
    assert not pending(one)
    assert complete(one)[0].newest.signatures == complete(two)[0].newest.signatures
    assert merged(one, copies) == {}


def test_a_copy_that_says_something_else_is_refused() -> None:
    draft = begin(role_keys(), NOW)
    other = begin(role_keys(timestamp=(1, ("thief",))), NOW)
    with pytest.raises(IntegrityError, match=r"1\.root\.json of the copy says something else"):
        merged(draft, [other | signed_by(other, SIGNERS["alice"])])


def test_who_has_no_part_or_has_signed_signs_nothing() -> None:
    files = begin(role_keys(), NOW)
    with pytest.raises(UsageError, match="nothing to sign"):
        signed_by(files, SIGNERS["thief"])
    files |= signed_by(files, SIGNERS["alice"])
    with pytest.raises(UsageError, match="has signed it"):
        signed_by(files, SIGNERS["alice"])


def test_a_person_is_replaced_by_the_old_and_the_new_quorum() -> None:
    files = new_trust()
    files |= renewed(files, NOW + dt.timedelta(days=1), old=KEYS["bob"], new=KEYS["next"])
    assert {item.quorum for item in pending(files)} == {"the root before", "root", "targets"}
    files |= signed_by(files, SIGNERS["alice"])
    files |= signed_by(files, SIGNERS["next"])
    # Bob has left; of the old quorum, Carol must agree.
    assert [item.quorum for item in pending(files)] == ["the root before"]
    files |= signed_by(files, SIGNERS["carol"])
    roots, _ = complete(files)
    assert [item.signed.version for item in roots.parsed] == [1, 2]
    assert KEYS["bob"].keyid not in {key.keyid for role in roles_of(files).values() for key in role.keys}


def test_a_revoked_key_leaves_all_roles_but_not_too_few() -> None:
    files = new_trust(timestamp=(1, ("timestamp", "next")))
    files |= signed_by_all(files | renewed(files, NOW, old=KEYS["timestamp"]))
    assert [key.keyid for key in roles_of(files)["timestamp"].keys] == [KEYS["next"].keyid]
    with pytest.raises(UsageError, match="timestamp needs 1 signatures, and would have 0 keys"):
        renewed(files, NOW, old=KEYS["next"])
    with pytest.raises(UsageError, match="No role has this key"):
        renewed(files, NOW, old=KEYS["thief"])


def test_an_unfinished_version_is_not_followed_by_another() -> None:
    files = new_trust()
    files |= renewed(files, NOW)
    with pytest.raises(UsageError, match="not signed by its quorum yet"):
        renewed(files, NOW)


def test_a_root_that_only_the_new_quorum_has_signed_is_refused() -> None:
    files = new_trust()
    files |= renewed(files, NOW, old=KEYS["alice"], new=KEYS["next"])
    files |= signed_by(files, SIGNERS["next"])
    files |= signed_by(files, SIGNERS["bob"])
    with pytest.raises(UsageError, match=r"2\.root\.json, by the root before: 1 of alice .*carol"):
        complete(files)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"root": (0, ("alice",))}, "The role root has 1 keys, of which 0 must sign"),
        ({"root": (2, ("alice",))}, "The role root has 1 keys, of which 2 must sign"),
        ({"root": (1, ("alice", "alice"))}, "The role root names a key twice"),
        ({"nightly": (1, ("alice",))}, "Unknown roles: nightly"),
    ],
)
def test_roles_that_make_no_sense(others: dict[str, tuple[int, tuple[str, ...]]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        begin(role_keys(**others), NOW)


def test_roles_that_are_missing() -> None:
    with pytest.raises(UsageError, match="No keys for snapshot, timestamp"):
        begin({k: v for k, v in role_keys().items() if k not in {"snapshot", "timestamp"}}, NOW)
    with pytest.raises(UsageError, match="No keys for a track"):
        begin({k: v for k, v in role_keys().items() if k not in {"stable", "edge"}}, NOW)


def test_one_key_under_two_ids_is_not_two_people() -> None:
    twin = SSlibKey("f" * 64, "ed25519", "ed25519", dict(KEYS["alice"].keyval))
    roles = role_keys() | {"root": RoleKeys(threshold=2, keys=(KEYS["alice"], twin))}
    with pytest.raises(UsageError, match="has one key under two ids"):
        begin(roles, NOW)


class Device(Signer):
    """A key in a device, which signs with this key, or not at all."""

    def __init__(self, public: Key, inside: Signer | None) -> None:
        self.public, self.inside = public, inside

    @property
    def public_key(self) -> Key:
        return self.public

    @classmethod
    def from_priv_key_uri(cls, *_: Any) -> Signer:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        if self.inside is None:
            raise RuntimeError("CKR_PIN_INCORRECT")
        return self.inside.sign(payload)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (None, "did not sign: RuntimeError: CKR_PIN_INCORRECT"),
        (SIGNERS["thief"], "is not of the public key"),
    ],
)
def test_a_device_that_does_not_sign_or_with_another_key(inside: Signer | None, message: str) -> None:
    files = begin(role_keys(), NOW)
    with pytest.raises(UsageError, match=message):
        signed_by(files, Device(KEYS["alice"], inside))


@pytest.mark.parametrize("inside", [None, SIGNERS["thief"]])
def test_a_device_that_does_not_sign_a_site(inside: Signer | None, tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    devices = {**SIGNERS, "stable": Device(KEYS["stable"], inside)}
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(UsageError, match=r"did not sign|not of the pub"),
    ):
        patch.setattr("signed_sites.SIGNERS", devices)
        site.publish(NEW)
    assert not (site.folder / "metadata").exists()
