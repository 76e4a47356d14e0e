"""The scripts that another machine's POSIX shell runs."""

import os
import shlex

CHANNEL = "exec sh -c 'read -r n && eval \"$(dd bs=1 count=$n 2>/dev/null)\"'"
"""What a login shell gets: words that sh, csh and fish understand alike. The script comes as input."""


def script(text: str, **values: object) -> bytes:
    """Return what the channel takes: a script, with variables that have these values."""
    lines = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())
    data = os.fsencode(lines + text)
    return b"%d\n%s" % (len(data), data)


LOOK = r"""
printf 'system %s\n' "$(uname -s)"
printf 'machine %s\n' "$(uname -m)"
printf 'kernel %s\n' "$(uname -r)"
printf 'glibc %s\n' "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
temp=${TMPDIR:-/tmp}
if [ ! -d "$temp" ] || [ ! -w "$temp" ]; then temp=/tmp; fi
printf 'temp %s\n' "$temp"
printf 'home %s\n' "$HOME"
for file in /etc/os-release /usr/lib/os-release; do
  if [ -f "$file" ]; then printf 'title %s\n' "$(. "$file"; printf %s "$PRETTY_NAME")"; break; fi
done
printf 'macos %s\n' "$(sw_vers -productVersion 2>/dev/null)"
"""
"""Prints facts about the machine, and changes nothing."""

RECEIVE = r"""
umask 077
tmp=${top%/*}
for old in "$tmp/$own"*; do
  if [ -d "$old" ] && [ ! -L "$old" ] && [ -O "$old" ]; then printf 'old %s\n' "${old##*/}"; fi
done
mkdir "$top" && mkdir -p "$top/${installer%/*}" "$top/$temp" "$top/$home" || exit
cat >"$top/$installer" || exit
if command -v sha256sum >/dev/null; then set -- sha256sum
elif command -v shasum >/dev/null; then set -- shasum -a 256
else exit 0; fi
set -- $("$@" <"$top/$installer")
printf 'sha256 %s\n' "$1"
"""
"""Makes the folder of a run, and writes what follows to the installer."""

FORGET = r"""
for old in $olds; do
  chmod -R u+rwX "$tmp/$old"
  rm -rf "$tmp/$old"
done 2>/dev/null
"""
"""Removes the folders of runs that have died."""

INSTALL = r"""
exec 3<&0
(cat <&3 >/dev/null 2>&1; kill -9 0) >/dev/null 2>&1 &
without=
if [ "$network" = no ]; then
  for way in 'unshare -n' 'unshare -cn'; do
    if $way true 2>/dev/null; then without=$way; break; fi
  done
fi
cd "$top/$temp" && umask 022 || exit
env -i "$@" $without /bin/sh "$top/$installer" $options -p "$top/$prefix" </dev/null 3<&-
status=$?
kill -9 $!
printf '\n%s %s\n' "$mark" "$without"
[ "$status" -lt 255 ] || status=254
exit "$status"
"""
"""Runs the installer. If the connection ends before it does, the process group of this shell ends, too."""

RUN = r"""
"$python" -X utf8 -I -S "$top/far_side.py" "$top"
status=$?
[ "$status" -lt 255 ] || status=254
exit "$status"
"""
"""Starts ``inside/far_side.py``; 255 is left to ssh, which says with it that the connection was lost."""

END = r"""
for file in "$top"/runs/*; do
  if [ -f "$file" ]; then kill -9 "$(cat "$file")"; fi
done 2>/dev/null
for process in /proc/[0-9]*; do
  if grep -qF "CUVEE_FAR_RUN=$top:" "$process/environ"; then kill -9 "${process##*/}"; fi
done 2>/dev/null
if [ -d "$top" ]; then
  chmod -R u+rwX "$top" 2>/dev/null
  rm -rf "$top" 2>/dev/null || rm -rf "$top"
fi
"""
"""Ends what a run has left, and removes its folder."""
