"""A street as a camera on a pole sees it: pictures that a detector believes, with exact ground truth.

The pictures were path-traced once (build/) and are put together here with OpenCV and numpy. Importing
this package imports neither; `lamppost.simulators.street.compose` does.
"""
