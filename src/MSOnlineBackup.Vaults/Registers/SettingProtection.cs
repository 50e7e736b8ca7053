namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// Which changes of a vault's settings protect less, setting by setting: what the one table says is asked for consent (<c>GuardedOperation.ChangeProtection</c>). A setting that
/// is not in it fails a test.
/// </summary>
internal static class SettingProtection
{
    /// <summary>From what holds, what is to hold, and the vault's location, to whether that protects less.</summary>
    public delegate bool Loosening(VaultSettings before, VaultSettings after, string location);

    // Who comes in, what it costs and where it lies, but nothing that could destroy, or leave undone what mends.
    private static readonly Loosening _never = static (_, _, _) => false;

    /// <summary>Of each setting, by its name in the record.</summary>
    public static IReadOnlyDictionary<string, Loosening> All { get; } = new Dictionary<string, Loosening>
    {
        // Whoever registers needs a file that only the owner issues.
        ["machineLimit"] = _never,
        ["accessTier"] = _never,

        // It stops backups, in sight of everybody, and lets nothing be deleted.
        ["subscription"] = _never,

        // It says what the account is, and cannot be changed once there are points.
        ["redundancy"] = _never,
        ["requirePrivateEndpoint"] = static (before, after, _) => before.RequiresPrivateEndpoint && !after.RequiresPrivateEndpoint,
        ["undeleteDays"] = static (before, after, _) => after.UndeleteDays < before.UndeleteDays,
        ["brakeDays"] = static (before, after, _) => after.BrakeDays < before.BrakeDays,
        ["immutability"] = static (before, after, _) => after.Immutability < before.Immutability,
        ["immutableDays"] = static (before, after, _) => before.ImmutableTime is { } time && !(after.ImmutableTime >= time),
        ["requirePin"] = static (before, after, _) => before.RequiresPin && !after.RequiresPin,

        // An owner who could add somebody would be asked by nobody.
        ["approvers"] = static (before, after, _) => before.Approvers is { Count: > 0 } approvers && !approvers.SequenceEqual(after.Approvers ?? []),

        // What heals, and what finds out that something has to.
        ["parityPercent"] = static (before, after, _) => after.ParityPercent < before.ParityPercent,
        ["verifyDays"] = static (before, after, location) => IntervalOf(after, location) > IntervalOf(before, location),
        ["statuses"] = static (before, after, _) => before.Statuses != StatusForm.Off && after.Statuses == StatusForm.Off,
        ["maintainAfterBackup"] = static (before, after, _) => before.MaintainsAfterBackup && !after.MaintainsAfterBackup,
    };

    /// <summary>Whether something protects less.</summary>
    public static bool IsLooser(VaultSettings before, VaultSettings after, string location) => All.Values.Any(loosens => loosens(before, after, location));

    private static int IntervalOf(VaultSettings settings, string location) => settings.VerifyDaysOf(location) is var days and > 0 ? days : int.MaxValue;
}
