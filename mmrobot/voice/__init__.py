"""The robot's ear and mouth: sound in, words out, and back. Knows no ROS; `ros/voice_node.py` joins it on.

The way of a sentence: a source (microphone, topic, file) gives 16 kHz pieces to the `Listener`, which lets
the stop spotter hear them at once, finds where speech ends, and has a recogniser read what was said.
"""
