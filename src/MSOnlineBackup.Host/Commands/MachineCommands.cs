using System.CommandLine;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>machine list</c>.</summary>
internal sealed class MachineListCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;

    public MachineListCommand()
        : base("list", "List the machines of a vault, those that have left it too. It needs no passphrase.", "obengine machine list /mnt/backup")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _connection = new ConnectionOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault vault = await Vault.OpenAsync(
            VaultLocation.Open(context.Get(_place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        IReadOnlyList<VaultMachine> machines = await vault.ListMachinesAsync(context.Stop).ConfigureAwait(false);
        context.Renderer.Table(
            machines.Select(machine => new MachineLine(machine.Name, machine.Id, machine.OperatingSystem, machine.AgentVersion, machine.FirstName, machine.Left)).ToList(),
            new TextTable<MachineLine>(
                new Column<MachineLine>("MACHINE", line => line.Name),
                new Column<MachineLine>("SYSTEM", line => line.OperatingSystem),
                new Column<MachineLine>("VERSION", line => line.AgentVersion),
                new Column<MachineLine>("LEFT", line => line.Left is { } left ? context.LocalTime(left) : ""),
                new Column<MachineLine>("FIRST CALLED", line => line.FirstName ?? "")));
        return new Outcome(new ListSummary("machine list", machines.Count), "");
    }
}

/// <summary><c>machine rename</c>.</summary>
internal sealed class MachineRenameCommand : HostCommand
{
    private readonly Argument<string> _name;
    private readonly Argument<string> _newName;
    private readonly VaultSelection _vault;

    public MachineRenameCommand()
        : base(
            "rename",
            "Give a machine another name in the vault. Its recovery points stay its own, and nothing is uploaded again.",
            "obengine machine rename OLDNAME NEWNAME --vault /mnt/backup")
    {
        _name = Required("MACHINE", "What the vault calls the machine.");
        _newName = Required("NEWNAME", "What it is to be called.");
        _vault = new VaultSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        string name = context.Get(_name);
        string newName = context.Get(_newName);
        using IDisposable? held = await AgentJobs.TryHoldAsync(vault.Vault, name, context.Environment.Time, context.Stop).ConfigureAwait(false);
        await vault.RenameMachineAsync(name, newName, context.Stop).ConfigureAwait(false);
        if (held is not null)
        {
            context.Renderer.Note($"This machine is registered as '{name}'. Run 'Rename-OBMachine {newName}' so that its own jobs use the new name, too.");
        }

        return new Outcome(
            new MachineSummary("machine rename", newName, name),
            $"The machine '{VisibleText.Line(name)}' is called '{VisibleText.Line(newName)}' from now on.");
    }
}
