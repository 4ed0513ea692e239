"""`python -m anygrad`: what is installed, and whether it works."""

from ._versions import show_versions

show_versions()
