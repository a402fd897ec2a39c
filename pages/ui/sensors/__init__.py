"""The parts of the sensor page: where signals come from, and what is shown of a scored one."""
