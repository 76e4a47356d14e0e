"""Whether each record of a whole channel can be installed, and why not.

The question is that of EDOS' debcheck for Debian packages, and of coinst (https://coinst.irill.org/).
"""
