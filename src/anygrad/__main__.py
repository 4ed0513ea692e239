"""`python -m anygrad`: what is installed, and whether it works."""

from anygrad._versions import show_versions

show_versions()
