"""The `.msi`'s tables, as msitools read them, held to what Microsoft's validators and deployers look for.

The validators (ICE, internal consistency evaluators) run on Windows alone; these are their rules for what our
packages hold. GPO, Intune and Configuration Manager read codes, number, scope and platform.
"""

import re
from dataclasses import replace

import pytest

from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.msi import build_msi, product_code, upgrade_code
from cuvee.progress import SILENT
from msi_desktop import Database
from needed_programs import need

pytestmark = pytest.mark.real

GUID = re.compile(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}")
PUBLIC = re.compile(r"[A-Z_][A-Z0-9_.]*")
IN_SCRIPT, ROLLBACK, WITHOUT_USER = 1024, 256, 2048
STORED_PROGRAM, SET_PROPERTY = 2, 51
RESTARTS = {"ForceReboot", "ScheduleReboot"}
SEQUENCES = ("InstallExecuteSequence", "InstallUISequence", "AdminExecuteSequence", "AdvtExecuteSequence")
REFERENCES = {
    ("FeatureComponents", "Feature_"): "Feature",
    ("FeatureComponents", "Component_"): "Component",
    ("Component", "Directory_"): "Directory",
    ("Component", "KeyPath"): "Registry",
    ("Directory", "Directory_Parent"): "Directory",
    ("Registry", "Component_"): "Component",
    ("AppSearch", "Signature_"): "RegLocator",
}


@pytest.fixture(scope="module")
def package(win_image: Image, branding: Branding, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A package of which nothing but its tables is looked at, so that any file does for the `.exe`."""
    need("wixl", "msibuild")
    folder = tmp_path_factory.mktemp("msi")
    (folder / "setup.exe").write_bytes(b"MZ")
    (folder / "icon.ico").write_bytes(b"\0\0\1\0")
    label = replace(win_image.label, distribution="a-longer-name")
    target = build_msi(
        replace(win_image, label=label),
        exe=folder / "setup.exe",
        branding=replace(branding, icon=folder / "icon.ico"),
        target=folder / "x.msi",
        reporter=SILENT,
    )
    return Database(target)


def places(package: Database, sequence: str = SEQUENCES[0]) -> dict[str, int]:
    return {row["Action"]: int(row["Sequence"]) for row in package.table(sequence)}


def test_what_deployment_tools_read(package: Database, win_image: Image) -> None:
    properties, version = package.properties(), win_image.label.version
    assert properties["ProductCode"] == f"{{{product_code('a-longer-name', version)}}}"
    assert properties["UpgradeCode"] == f"{{{upgrade_code('a-longer-name')}}}"
    assert all(GUID.fullmatch(properties[key]) for key in ("ProductCode", "UpgradeCode"))
    assert properties["ProductVersion"] == "26.11.0"
    assert properties["ProductLanguage"] == "1033"
    assert (properties["ProductName"], properties["Manufacturer"]) == (
        f"Tiny & Söhne {version}",
        'Müller "and" Sons',
    )
    assert properties["ALLUSERS"] == "1"
    assert "MSIINSTALLPERUSER" not in properties
    assert int(properties["ARPSIZE"]) == win_image.size_on_disk // 1024
    assert properties["ARPPRODUCTICON"] in {row["Name"] for row in package.table("Icon")}


def test_the_summary(package: Database) -> None:
    summary = package.summary()
    assert summary["Template"] == "x64;1033"
    assert GUID.fullmatch(summary["Revision number (UUID)"])
    # Windows Installer 5, compressed; not to be changed.
    assert (summary["Version"], summary["Source"]) == ("500 (1f4)", "2 (2)")
    assert summary["Security"] == "2 (2)"
    assert summary["Title"] == "Installation Database"
    assert summary["Created"] == summary["Last saved"] == "Wed Jan  1 00:00:00 2020"


def test_properties_that_may_be_set(package: Database) -> None:
    properties = package.properties()
    secure = properties["SecureCustomProperties"].split(";")
    found = {row["Property"] for row in package.table("AppSearch")}
    upgrades = {row["ActionProperty"] for row in package.table("Upgrade")}
    assert found | upgrades | {"INSTALLDIR", "ADDTOPATH", "REGISTERPYTHON", "NOSHORTCUTS"} <= set(secure)
    assert {"KEEPINSTALLER", "KEY", "NEWKEY"} <= set(secure)
    passed = " ".join(row["Target"] for row in package.table("CustomAction") if row["Source"] == "Options")
    for option in ("KeepInstaller=[KEEPINSTALLER]", "key=[KEY]", "newkey=[NEWKEY]"):
        assert f'"/{option}"' in passed
    assert len(secure) == len(set(secure))
    assert all(PUBLIC.fullmatch(name) for name in secure)
    # What is found out must not be there from the start.
    assert not (found | upgrades) & set(properties)
    assert "" not in properties.values()


def test_nobody_is_asked_to_restart(package: Database) -> None:
    assert package.properties()["REBOOT"] == "ReallySuppress"
    assert not any(RESTARTS & set(places(package, sequence)) for sequence in SEQUENCES)


def test_rows_name_what_is_there(package: Database) -> None:
    for (table, column), other in REFERENCES.items():
        (key, *_) = package.keys(other)
        known = {row[key] for row in package.table(other)} | {""}
        assert {row[column] for row in package.table(table)} <= known, (table, column)
    components = package.table("Component")
    assert len({row["ComponentId"] for row in components}) == len(components)
    # 64 bits wide, with a value of the registry for its key.
    assert {int(row["Attributes"]) for row in components} == {256 + 4}
    assert all(GUID.fullmatch(row["ComponentId"]) for row in components)
    # Whose part of the registry follows from for whom it is installed; and it is found where it was written.
    assert {row["Root"] for row in package.table("Registry")} == {"-1"}
    assert {(row["Root"], row["Type"]) for row in package.table("RegLocator")} == {("1", "18"), ("2", "18")}


def test_texts_fit_their_columns(package: Database) -> None:
    for name in package.tables():
        for row in package.table(name):
            for column, kind in package.kinds(name).items():
                width = int(kind[1:])
                assert kind[0] not in "sSlL" or not width or len(row[column]) <= width, (name, column)
                assert row[column] or kind[0] in "SILV", (name, column)


def test_folders_have_short_names(package: Database) -> None:
    (name,) = (row["DefaultDir"] for row in package.table("Directory") if row["Directory"] == "INSTALLDIR")
    short, _, long = name.partition("|")
    assert long == "A-longer-name"
    assert re.fullmatch(r"[A-Z0-9~]{1,8}", short)


def test_actions_are_where_they_may_be(package: Database) -> None:
    actions = {row["Action"]: row for row in package.table("CustomAction")}
    order = places(package)
    binaries = {row["Name"] for row in package.table("Binary")}
    for name, row in actions.items():
        kind = int(row["Type"])
        if kind & 0x3F == SET_PROPERTY:
            folder = row["Source"] == "INSTALLDIR"
            assert order["AppSearch"] < order[name], name
            assert order[name] < order["CostFinalize"] or not folder, name
            continue
        assert kind & 0x3F == STORED_PROGRAM, name
        assert row["Source"] in binaries
        # What changes the machine waits for the script, in which the system's rights are to be had.
        assert kind & IN_SCRIPT, name
        assert order["InstallInitialize"] < order[name] < order["InstallFinalize"], name
        assert bool(kind & WITHOUT_USER) == name.endswith("All")
        assert bool(kind & ROLLBACK) == name.startswith("Undo")
        assert row["Target"].endswith('"/D=[INSTALLDIR]"')
        # For all users it is held to the folder that the machine's registry notes, whoever asks.
        assert " /Managed=1" in row["Target"]
    for sequence in SEQUENCES:
        numbers = list(places(package, sequence).values())
        assert len(numbers) == len(set(numbers)), sequence
    assert set(actions) <= set(order)
    asked = places(package, "InstallUISequence")
    assert all(asked[name] == order[name] for name in asked if name in actions)
    assert {"Scope", "UpgradeAll", "UpgradeMe", "UserFolder"} <= set(asked)


def test_the_older_product_ends_after_the_upgrade(package: Database) -> None:
    order = sorted(places(package).items(), key=lambda item: item[1])
    names = [name for name, _ in order]
    # Windows Installer allows it there and in three other places.
    assert names[names.index("RemoveExistingProducts") - 1] == "InstallExecute"
    assert names.index("InstallMe") < names.index("InstallExecute") < names.index("ProcessComponents")
    needed = "FindRelatedProducts AppSearch LaunchConditions CostInitialize FileCost CostFinalize"
    needed += " InstallValidate InstallInitialize ProcessComponents WriteRegistryValues RegisterUser"
    needed += " RegisterProduct PublishProduct InstallFinalize"
    assert [name for name in names if name in needed.split()] == needed.split()


def test_which_products_are_related(package: Database) -> None:
    rows = {row["ActionProperty"]: row for row in package.table("Upgrade")}
    number = package.properties()["ProductVersion"]
    only_detect, minimum_included = 2, 256
    older, newer = rows["OLDER"], rows["NEWER"]
    assert {row["UpgradeCode"] for row in rows.values()} == {package.properties()["UpgradeCode"]}
    assert (older["VersionMin"], older["VersionMax"], int(older["Attributes"])) == (
        "0.0.0",
        number,
        minimum_included,
    )
    assert (newer["VersionMin"], int(newer["Attributes"])) == (number, only_detect)
    assert {row["Condition"] for row in package.table("LaunchCondition")} == {
        "NOT NEWER",
        "Installed OR NOT (REMOVE OR REINSTALL)",
    }


def test_only_a_first_installation_installs(package: Database) -> None:
    steps = {row["Action"]: row["Condition"] for row in package.table("InstallExecuteSequence")}
    first = "NOT Installed AND $Place=3"
    for action in ("Install", "Undo"):
        for who in ("All", "Me"):
            assert first in steps[f"{action}{who}"]
    assert steps["RemoveExistingProducts"] == first
    assert [row["Component"] for row in package.table("Component")] == ["Place"]
    for action in ("Remove", "Repair"):
        for who in ("All", "Me"):
            assert steps[f"{action}{who}"].startswith("(Installed AND ")
    ours = {row["Action"] for row in package.table("CustomAction")}
    for sequence in ("AdminExecuteSequence", "AdvtExecuteSequence", "AdminUISequence"):
        assert ours.isdisjoint(places(package, sequence)), sequence
