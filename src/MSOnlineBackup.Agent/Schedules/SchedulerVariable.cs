using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>The environment variable that chooses the scheduler.</summary>
public static class SchedulerVariable
{
    /// <summary>Its name.</summary>
    public const string Name = "MSONLINEBACKUP_SCHEDULER";

    /// <summary>What it says.</summary>
    /// <param name="value">Its value, a name of <see cref="SchedulerChoice"/> in upper or lower case; null or empty for <see cref="SchedulerChoice.Auto"/>.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static SchedulerChoice Read(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return SchedulerChoice.Auto;
        }

        foreach (SchedulerChoice choice in Enum.GetValues<SchedulerChoice>())
        {
            if (choice.ToString().Equals(value, StringComparison.OrdinalIgnoreCase))
            {
                return choice;
            }
        }

        throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"{Name} is '{value}', but the only schedulers are {string.Join(", ", Enum.GetNames<SchedulerChoice>())}.",
            $"Set it to one of them, or remove it to use the system's own.",
            value);
    }
}
