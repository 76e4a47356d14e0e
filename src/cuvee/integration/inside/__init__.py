"""Scripts that run outside cuvee, in an installed release or around it; standard library only.

``isolate``, ``emulate`` and ``wine_start`` run under the host's Python; the others run under the release's
own Python, which may be older than cuvee's, and import nothing of cuvee.
"""
