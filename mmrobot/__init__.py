"""mmrobot: tell a robot what to do. Words and pixels in, a typed and verified 3-D action plan out."""

__version__ = "0.1.0"
