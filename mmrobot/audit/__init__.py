"""Why a plan is as it is: a record of each instruction, kept in a bounded folder on this machine."""
