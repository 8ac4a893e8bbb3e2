"""The task domain: objects, scenes, episodes, goal predicates, the language of commands. No model, no ROS."""
