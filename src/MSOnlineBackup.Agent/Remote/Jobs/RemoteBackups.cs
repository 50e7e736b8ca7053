using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>
/// Backups of other machines that are started from here, into vaults that this machine can write to. The agent there is started by ssh, is given its order and a key over standard input, and asks
/// for the vault over the same line, where it may add under its own name and nothing else. Machines are worked on side by side; one that fails stops no other.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
public sealed class RemoteBackups
{
    /// <summary>How many machines are worked on at once by default.</summary>
    public const int UsualMachinesAtOnce = 8;

    /// <summary>The most that are.</summary>
    public const int MostMachinesAtOnce = 64;

    // Contents of all machines on their way into the vault, in bytes: each has an equal share, so that a slow line holds up nobody else's.
    private const int RoomForAll = 96 << 20;
    private const int LeastRoom = 4 << 20;
    private const int MostRoom = 64 << 20;
    private const int LeastPack = 2 << 20;
    private const int MostPack = 16 << 20;

    private readonly RemoteAgentRecords _records;
    private readonly IRemoteShell? _shell;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _places;

    private RemoteBackups(RemoteAgentRecords records, IRemoteShell? shell, TimeProvider clock, int machinesAtOnce)
    {
        (_records, _shell, _clock) = (records, shell, clock);
        _places = new SemaphoreSlim(machinesAtOnce);
        MachinesAtOnce = machinesAtOnce;
    }

    internal RemoteBackups(StateFolder state, IRemoteShell? shell, TimeProvider clock)
        : this(new RemoteAgentRecords(state), shell, clock, UsualMachinesAtOnce)
    {
    }

    /// <summary>How many machines are worked on at once, whoever asks: the others wait for their turn.</summary>
    public int MachinesAtOnce { get; }

    /// <summary>How long either side may be silent before the other gives it up.</summary>
    internal static TimeSpan LongestSilence { get; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a machine has for its login and the start of its agent.</summary>
    internal static TimeSpan LongestStart { get; } = TimeSpan.FromMinutes(1);

    /// <summary>How many bytes of contents one machine may have on their way into the vault.</summary>
    internal int RoomOfEach => Math.Clamp(RoomForAll / MachinesAtOnce, LeastRoom, MostRoom);

    /// <summary>At which size a machine closes its packs: two are on their way at a time.</summary>
    internal int PackSize => Math.Clamp(RoomOfEach / 2, LeastPack, MostPack);

    /// <summary>The same with another number of machines at once. Packs get smaller the more there are.</summary>
    public RemoteBackups With(int machinesAtOnce)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(machinesAtOnce);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(machinesAtOnce, MostMachinesAtOnce);
        return new RemoteBackups(_records, _shell, _clock, machinesAtOnce);
    }

    /// <summary>Has several machines back up, side by side.</summary>
    /// <param name="orders">Machines on which agents were put, and what each is to back up. No two have one name in the vault.</param>
    /// <param name="vault">The vault, unlocked: each machine is given this key.</param>
    /// <param name="progress">Told of each machine about once a second, from any thread; null for nobody.</param>
    /// <param name="cancellationToken">Stops all of them in order.</param>
    /// <returns>What became of each, in their order.</returns>
    /// <exception cref="BackupException">ArgumentInvalid: two have one name. Nothing was begun.</exception>
    public async Task<IReadOnlyList<RemoteBackupOutcome>> RunAsync(
        IReadOnlyList<(RemoteMachine Machine, RemoteBackupOrder Order)> orders,
        UnlockedVault vault,
        IProgress<RemoteBackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(orders);
        if (orders.GroupBy(one => one.Order.MachineName, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"{twice.Count()} machines would back up as '{twice.Key}'.", "Give each machine a name of its own in the vault.", twice.Key);
        }

        return await Task.WhenAll(orders.Select(one => RunAsync(one.Machine, one.Order, vault, progress, cancellationToken))).ConfigureAwait(false);
    }

    /// <summary>Has one machine back up. Where as many as may be are at work already, it waits for its turn.</summary>
    /// <param name="machine">A machine on which an agent was put.</param>
    /// <param name="order">What it is to back up.</param>
    /// <param name="vault">The vault, unlocked: the machine is given this key.</param>
    /// <param name="progress">Told about once a second, from any thread; null for nobody.</param>
    /// <param name="cancellationToken">Stops it in order.</param>
    /// <returns>What became of it. That it has a point was read from the vault.</returns>
    /// <exception cref="OperationCanceledException">It was stopped; what had arrived is used by the next run.</exception>
    public async Task<RemoteBackupOutcome> RunAsync(
        RemoteMachine machine, RemoteBackupOrder order, UnlockedVault vault, IProgress<RemoteBackupProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(vault);
        IRemoteShell shell = _shell ?? throw new InvalidOperationException("Nothing here can log in to other machines.");
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var backup = new RemoteBackup(machine, order, vault, _records, shell, _clock, new RemoteLimits(RoomOfEach, PackSize, LongestStart, LongestSilence));
            return await backup.RunAsync(progress, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }
}

/// <summary>What one machine has.</summary>
/// <param name="Room">Bytes of contents that it may have on their way into the vault.</param>
/// <param name="PackSize">At which size it closes its packs, in bytes.</param>
/// <param name="Start">For its login and the start of its agent.</param>
/// <param name="Silence">Between two notices.</param>
internal sealed record RemoteLimits(int Room, int PackSize, TimeSpan Start, TimeSpan Silence);
