"""How mmrobot-nano is made: pictures from the simulator, words from the grammar. No node imports it."""
