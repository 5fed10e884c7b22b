"""Words for people: names that are near, lines that fit, addresses without their passwords."""
