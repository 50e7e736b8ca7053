using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>The moment of a backup: the guest is held still where it has an agent, all disks are switched at once, and it goes on.</summary>
/// <param name="qemu">The machine.</param>
/// <param name="options">How.</param>
internal sealed class QemuMoment(QemuCommands qemu, MomentOptions options)
{
    private const string Kind = "QEMU";
    private const int MostReason = 1000;

    /// <summary>Takes it.</summary>
    /// <param name="switches">The top nodes, and what they are switched to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What can be relied on, and for how long the guest was held.</returns>
    /// <exception cref="BackupException">GuestNotFrozen where that is demanded; GuestNotThawed; those of commands.</exception>
    public async Task<(SourceConsistency Consistency, TimeSpan Frozen)> TakeAsync(IEnumerable<(string Top, string Below)> switches, CancellationToken cancellationToken)
    {
        if (options.AgentSocket is not { } agent)
        {
            options.Barrier?.Leave(qemu.Machine, "no guest agent was named");
            await qemu.SwitchAsync(switches, cancellationToken).ConfigureAwait(false);
            return (Crash("There is no guest agent, or none was named."), TimeSpan.Zero);
        }

        IGuestFreezer freezer = options.Freezer ?? throw new InvalidOperationException("There is an agent, and nothing to freeze with.");
        if (options.Barrier is { } meeting)
        {
            // Nothing is held yet: what is wrong with the others shows further on.
            await meeting.ReadyAsync(cancellationToken).ConfigureAwait(false);
        }

        IGuestFreeze? freeze = null;
        string? failure = null;
        try
        {
            freeze = await freezer.FreezeAsync(agent, options.FreezeLimits, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.GuestNotFrozen && !options.RequiresFreeze)
        {
            failure = e.Message;
        }

        if (freeze is null)
        {
            options.Barrier?.Leave(qemu.Machine, failure!.TrimEnd('.'));
            await qemu.SwitchAsync(switches, cancellationToken).ConfigureAwait(false);
            return (Crash(failure!), TimeSpan.Zero);
        }

        await using (freeze)
        {
            long began = Stopwatch.GetTimestamp();
            if (options.Barrier is { } held && !await held.HeldAsync(cancellationToken).ConfigureAwait(false))
            {
                RequireTogether(held);
            }

            await qemu.SwitchAsync(switches, cancellationToken).ConfigureAwait(false);
            if (options.Barrier is { } switched)
            {
                await switched.SwitchedAsync(cancellationToken).ConfigureAwait(false);
            }

            bool wasHeld = await freeze.ThawAsync().ConfigureAwait(false);
            TimeSpan frozen = Stopwatch.GetElapsedTime(began);
            SourceConsistency consistency = Judge(freeze, wasHeld);
            if (options.Barrier is { } over && !await over.ReleasedAsync(qemu.Machine, consistency.Level == ConsistencyLevel.Crash ? consistency.Reason!.TrimEnd('.') : null, cancellationToken).ConfigureAwait(false))
            {
                RequireTogether(over);
            }

            return consistency.Level == ConsistencyLevel.Crash && options.RequiresFreeze
                ? throw new BackupException(BackupErrorId.GuestNotFrozen, $"The virtual machine '{qemu.Machine}' was not held still: {consistency.Reason}", "See to the guest agent in the guest.", qemu.Machine)
                : (consistency, frozen);
        }
    }

    private void RequireTogether(MomentBarrier barrier)
    {
        if (options.RequiresFreeze)
        {
            throw new BackupException(
                BackupErrorId.GuestNotFrozen,
                $"The virtual machine '{qemu.Machine}' was not held still together with the others of its group '{barrier.Group}': {barrier.Failure}.",
                "See to the machines of the group and their guest agents, and run the backup again.",
                qemu.Machine);
        }
    }

    private SourceConsistency Judge(IGuestFreeze freeze, bool wasHeld) =>
        !wasHeld ? Crash("The guest was let go before the moment was over.")
        : freeze.FileSystems == 0 ? Crash("The guest agent found no file system that it could hold still.")
        : freeze.IsWindows ? new SourceConsistency(ConsistencyLevel.Application, Kind, "The programs of the guest were told (VSS).")
        : options.GuestHasHooks ? new SourceConsistency(ConsistencyLevel.Application, Kind, "The guest's own scripts were run.")
        : new SourceConsistency(ConsistencyLevel.FileSystem, Kind);

    private static SourceConsistency Crash(string reason) => new(ConsistencyLevel.Crash, Kind, reason.Length <= MostReason ? reason : reason[..(MostReason - 1)] + "…");
}
