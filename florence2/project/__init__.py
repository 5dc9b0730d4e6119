"""A project of one's own: a data set is looked at, and a commented configuration written that suits it."""

from florence2.project.create import Project, create_project

__all__ = ["Project", "create_project"]
