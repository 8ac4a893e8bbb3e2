"""Speed beside quality: what `mmrobot bench` measures, one module a section."""
