"""How fast the lab is: beside a plain loop, beside what templates do, and as the work grows."""
