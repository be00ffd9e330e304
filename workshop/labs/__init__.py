"""The bridge to the check modules: `workshop.labs.<lab>.<slug>` is `checks/<lab>/<slug>.py`.

The same import works from a checkout and from an installed wheel, without putting a package of the
generic name `checks` into site-packages.
"""

from workshop.paths import content_root

__path__ = [str(content_root() / "checks")]
