"""The commands: each is a file of its name, which declares it. No list has to be edited for another one."""
