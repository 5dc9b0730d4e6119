"""What a base is taught, in order: which scenes, and which questions about them."""

from pretraining.course import Course
from pretraining.courses.shapes import ShapesCourse
from pretraining.courses.world import WorldCourse

__all__ = ["COURSES"]

COURSES: dict[str, Course] = {"shapes": ShapesCourse(), "world": WorldCourse()}
"""Every course by the name that a size gives it."""
