"""Where everything meets: settings to envs, policy, trainer, sinks and final evaluation."""
