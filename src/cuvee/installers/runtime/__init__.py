"""What runs on the user's desktop: standard library only, imports nothing else of cuvee.

It runs from stage 0 under the release's own interpreter (``python -I -S -B -X utf8``), on every system the
same. Read `main` first. What these modules import is what stage 0 carries, so they do without `dataclasses`,
`argparse`, `pathlib`, `shutil` and `hashlib`.
"""
