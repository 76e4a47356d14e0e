"""What runs on the user's desktop: standard library only, imports nothing else of cuvee.

It runs from stage 0 under the release's own interpreter (``python -I -S -B -X utf8``), on every system the
same. What these modules import is what stage 0 carries, so they do without `dataclasses`, `argparse`,
`pathlib`, `shutil` and `hashlib`.

**An install**, in the order of `install.install`:

1. The installer's shell text, or Windows' own part, has checked the file, unpacked stage 0 into a staged
   folder beside the prefix, and started `main`, which makes a `job.Job` of what it was told.
2. `manifest` reads the list of files, `signature` checks who made it; `locking` keeps others away.
3. `proving.before` runs pre_install. `writing.Prefix` holds stage 0 to its hashes and makes the folders.
4. Several threads (`sharing`) read frames, hold them to their hashes, decompress (`decode`), put the
   prefix in (`relocate`, `macho`) and write the files; then links. `keeping` copies the installer on request.
5. `finishing` writes conda's records and history, the runtime with its command, the state and the marker.
6. `proving.commit` gives the folder its place by one rename (`placing`), runs post_install, and makes what
   is outside of the prefix (`outside`: `menus`, `entries`, `shells`). Whoever is killed before leaves what
   `placing.recover` removes or puts back; afterwards the release is there.

**An upgrade** (`upgrade.upgrade`) is an install with these steps more:

- before 3: the older release is read (`state`), its key has to be the new one's, a downgrade is refused;
  `verify` tells which of its files are whole, which are the user's (`added`), and which were changed.
- in 4: files of frames that both releases have are linked from the old prefix; the others are written.
- after 5: `carrying` brings the user's files over, and those that were changed to ``cuvee-saved``.
- in 6: the two folders change places; the older one is kept for `rollback`, or removed.

`repair` is 2 to 4 for the files that differ, each renamed into its place. `handover` is how an installed
release starts a repair or an upgrade without trusting an installer's shell text.
"""
