"""What the box sees with: model sessions, manifests, detectors and trackers."""
