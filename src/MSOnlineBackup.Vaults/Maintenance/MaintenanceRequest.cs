namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What a maintenance run may do.</summary>
public sealed record MaintenanceRequest
{
    /// <summary>Plan, and change nothing.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>Decide what was condemned, delete what was decided, and begin nothing further: what a repair ends with.</summary>
    internal bool OnlyDecides { get; init; }

    /// <summary>The most bytes of packs that are written anew in this run; null for no limit. From 0: 0 repacks nothing.</summary>
    public long? MaxRepackBytes { get; init; }

    /// <summary>The most packs without anything needed that are condemned at once.</summary>
    internal int MostDead { get; init; } = int.MaxValue;

    /// <summary>
    /// The most bytes that are sealed anew in this run because an earlier master key had sealed them, beside what is written anew for other reasons; from 0,
    /// which is the default: nothing is.
    /// </summary>
    public long ReencryptBytes { get; init; }

    /// <summary>After this time nothing further is begun; null for no limit. What was begun is finished, and the next run goes on.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>
    /// Within how many days all packs are to be read once, by a share in each run; from 0: 0 reads none. Null for what the vault's settings say.
    /// </summary>
    public int? VerifyDays { get; init; }

    /// <summary>The most bytes of packs that are verified in this run; null for no limit. One pack is, whatever this says.</summary>
    public long? MaxVerifyBytes { get; init; }

    /// <summary>
    /// The share of a pack that nothing may need, 0 to 1, before the rest of it is written anew. Packs that nothing needs at all go whatever this says.
    /// </summary>
    public double MaxUnused { get; init; } = 0.2;

    /// <summary>
    /// A job that has said nothing to the vault for this long is taken for dead and shut out, so that nothing waits for it any more. Were it alive, its data
    /// stay, and it fails and has to be run again.
    /// </summary>
    public TimeSpan ShutOutAfter { get; init; } = TimeSpan.FromDays(1);
}
