r"""The text of ``Scripts\<distribution>-admin.cmd``, which starts `admin_verbs`."""

from __future__ import annotations

GO_ON = 100
"""Exit code that has the command start the verb again from the folder beside the prefix."""

COMMAND = r"""@echo off
rem Administers {label}; made by its installer. `{distribution}-admin help` says more.
setlocal DisableDelayedExpansion
set "CUVEE_PREFIX=%~dp0.."
for %%p in ("%~dp0..") do set "CUVEE_RUN=%%~dpp.%%~nxp.cuvee-admin"
"%~dp0..\{python}" -I -S -B -X utf8 "%~dp0..\conda-meta\cuvee\runtime\windows\__main__.py" admin %*
if not %errorlevel%=={go_on} exit /b %errorlevel%
set "CUVEE_FOLDER=%CD%"
cd /d "%CUVEE_RUN%\.."
rem From here on this file may be moved away, so all else is one line.
"%CUVEE_RUN%\{python}" -I -S -B -X utf8 "%CUVEE_RUN%\.cuvee\runtime\windows\__main__.py" admin %* \
& {end}
"""


def command(label: str, distribution: str, python: str) -> str:
    """Return the text of the command."""
    # `if errorlevel` means that much or more; %errorlevel% would be what it was before the line.
    end = " else ".join(
        f'if errorlevel {code} (rd /s /q "%CUVEE_RUN%" & exit /b {code})' for code in (130, 5, 3, 2, 1, 0)
    )
    text = COMMAND.format(end=end, label=label, distribution=distribution, python=python, go_on=GO_ON)
    return text.replace("\\\n", "").replace("\n", "\r\n")
