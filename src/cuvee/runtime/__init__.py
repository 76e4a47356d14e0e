"""What runs on the user's desktop: standard library only, imports nothing else of cuvee.

It runs from stage 0 under the release's own interpreter (``python -I -S -B -X utf8``), on every system the
same. What these modules import is what stage 0 carries, so they do without `dataclasses`, `argparse`,
`pathlib`, `shutil` and `hashlib`. On the desktop this folder is the package ``runtime``; `windows` is the
part that only Windows needs.

**An install**, in the order of `install.install`:

1. The installer's shell text, or Windows' own part, has checked the file, unpacked stage 0 into a staged
   folder beside the prefix, and started `command_line` with what becomes an `installer_run.InstallerRun`.
2. `payload_manifest` reads the list of files, `image_signature` checks who made it; `prefix_lock` keeps
   others away; `crash_recovery` removes or puts back what an installer that was killed has left, but not what
   belongs to one that still unpacks (`staged_folder`).
3. `install_scripts` runs pre_install. `prefix_writer` checks stage 0's hashes and makes the folders.
4. Several threads (`worker_threads`) read frames, check their hashes, decompress them (`decompression`), put
   the prefix in (`prefix_replacement`, `macho`) and write the files; then links. What another release on this
   machine has too may be taken from there before (`neighbours`, `equal_files`). `kept_installer` copies the
   installer on request.
5. `prefix_metadata` writes conda's records and history, the runtime with its command, the state and the
   marker (`prefix_state`).
6. `transaction.commit` gives the folder its place by one rename (`prefix_swap`), runs post_install, and makes
   what is outside of the prefix (`outside_files`: `menu_files`, `desktop_entries`, `shell_startup`, and
   `user_files`, which writes it).

**An upgrade** is an install with these steps more, in `upgrade`:

- before 3: the older release is read, its key must be the new one's, a downgrade is refused; `verify` finds
  which of its files are unchanged, which are the user's (`added_packages`), and which were changed. What
  both releases have is linked from the old prefix by who has just read it (`expected_file`): on Linux,
  children (`forked_work`), while stage 0 is checked and 4 is done.
- in 4: only the other files are written, and those that turned out to be changed when all have been read.
- after 5: the user's files are brought over (`copying`), and those that were changed go to ``cuvee-saved``.
- in 6: the two folders are exchanged; the older one is kept for `rollback`, or removed.

If the prefix was moved (`moved_prefix`), all files that name it are written in 4, and what names the old
place outside of it is replaced in 6.

`repair` is 2 to 4 for the files that differ, each renamed into its place. `installer_handover` is how an
installed release starts a repair or an upgrade without trusting an installer's shell text.
"""
