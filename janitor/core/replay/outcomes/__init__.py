"""What a replay of recorded nights comes to: whether it is regretted, what it saves, and what other values would do."""
