using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// Gives a machine another name. Its id stays, and so do its recovery points: first the new name is made to mean this machine, then the series of the name that it had first
/// says that this is what it is called now. That one object decides, also between two who rename it at once; until it is there, nothing has happened. The names that a machine
/// had stay its own.
/// </summary>
/// <param name="vault">The vault.</param>
/// <param name="keys">The keys of the machine's chunk store.</param>
internal sealed class MachineRenaming(KnownVault vault, StoreKeys keys)
{
    private readonly MachineDirectory _directory = new(vault);

    /// <summary>Renames. Where it was interrupted, doing it again does the rest.</summary>
    /// <param name="name">What the machine is called.</param>
    /// <param name="newName">What it is to be called.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachineNotRegistered; MachineNameTaken where another machine has the new name, had it, or left recovery points under it.</exception>
    public async Task RunAsync(string name, string newName, CancellationToken cancellationToken)
    {
        MachineStanding machine = await _directory.FindAsync(name, keys, cancellationToken).ConfigureAwait(false);
        if (!machine.IsTaken || !machine.IsOf(keys))
        {
            throw machine.IsTaken ? _directory.NameTaken(machine.Record!.Name) : Unknown(name);
        }

        if (machine.RenamedTo is { } called)
        {
            if (IdOf(called) == IdOf(newName))
            {
                return;
            }

            throw _directory.Renamed(machine.Record!.Name, called);
        }

        // The name that it had first, or a new spelling of one, means this machine already.
        await _directory.ChangeAsync(
            newName,
            keys,
            known => ClaimAsync(known, machine, newName, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        if (IdOf(newName) != IdOf(name))
        {
            await _directory.CallAsync(keys, machine.FirstName, newName, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<MachineRecord?> ClaimAsync(MachineStanding known, MachineStanding machine, string newName, CancellationToken cancellationToken)
    {
        bool isOwn = known.IsOf(keys) && known.Id == machine.Id;
        if (known.IsTaken && !isOwn)
        {
            throw known.RenamedTo is { } called ? _directory.Renamed(known.Record!.Name, called) : Taken(known.Record!.Name);
        }

        if (!isOwn && await HasPointsAsync(known.IsOf(keys) ? known.Id : IdOf(newName), cancellationToken).ConfigureAwait(false))
        {
            throw Left(newName);
        }

        MachineRecord record = _directory.Describe(newName, keys, known);
        return machine.Id == IdOf(newName) ? record with { Called = known.Record?.Called } : record with { First = machine.FirstName };
    }

    // What cannot be read counts: a name that means other points must not come to mean these.
    private async Task<bool> HasPointsAsync(MachineId machine, CancellationToken cancellationToken) =>
        await vault.Objects.ListAsync(VaultLayout.Points(keys.StoreId, machine), cancellationToken).AnyAsync(cancellationToken).ConfigureAwait(false);

    private MachineId IdOf(string name) => vault.Header.MachineId(name);

    private BackupException Taken(string name) => new(
        BackupErrorId.MachineNameTaken,
        $"The vault '{vault.Location}' knows another machine '{name}'.",
        "Choose another name.",
        name);

    private BackupException Left(string name) => new(
        BackupErrorId.MachineNameTaken,
        $"A machine '{name}' has left the vault '{vault.Location}', and its recovery points are still there under this name.",
        "Choose another name.",
        name);

    private BackupException Unknown(string name) => new(
        BackupErrorId.MachineNotRegistered,
        $"No machine '{name}' is registered with the vault '{vault.Location}'.",
        "'Get-OBVault' shows the machines of a vault.",
        name);
}
