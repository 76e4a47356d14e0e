"""Requirements that break the format, and how uv reads them."""

REPAIRED = {
    "dep (>=7.2.0<8.0.0)": "dep>=7.2.0,<8.0.0",
    "dep (!=~5.0,>=4.12)": "dep!=5.0.*,>=4.12",
    "dep (!=~5,>=4.12)": "dep!=5.*,>=4.12",
    "dep (>=1.9.*)": "dep>=1.9",
    "dep !=3.0*": "dep!=3.0.*",
    "dep (>=2.7,!=3.0*,!=3.1*,!=3.2*)": "dep>=2.7,!=3.0.*,!=3.1.*,!=3.2.*",
    "dep >3.6.*": "dep>3.6",
    "dep <=3.13.*": "dep<=3.13",
    "dep <3.4.*": "dep<3.4",
    "dep >dev": "dep>0.0.0dev",
    "dep >=9.0.0a1.0": "dep>=9.0.0a1",
    "dep >=9a1.0": "dep>=9a1",
    "dep '>=1.0'": "dep>=1.0",
    "dep >= 2.7'": "dep>=2.7",
    "dep (>=1.0', <2)": "dep>=1.0,<2",
    "dep>=1.3.0,<1.4.0',": "dep>=1.3.0,<1.4.0",
    '\'dep\' >=1.19"; python_version >= "3.7"': "dep>=1.19; python_version >= '3.7'",
    "dep[x, y] >=1.*;os_name=='nt'": "dep[x,y]>=1; os_name == 'nt'",
    "dep (>=0.2.*.dev0)": "dep>=0.2.dev0",
    "dep >= 0.2.*-dev": "dep>=0.2.dev0",
}
