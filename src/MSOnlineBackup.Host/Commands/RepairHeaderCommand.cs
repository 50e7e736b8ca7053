using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Repair;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>repair header</c>.</summary>
internal sealed class RepairHeaderCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Option<string?> _ownerFile;

    public RepairHeaderCommand()
        : base("header", "Re-create a lost or damaged vault.json from the vault's other objects; needs no passphrase.", "obengine repair header --vault /mnt/backup")
    {
        _vault = new VaultSelection(this);
        _ownerFile = Value("--owner-file", "FILE", "The file with the owner's key, for a vault whose machines do not know its owner or disagree about it. "
            + "Its passphrase is not needed.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        HeaderRepairReport report = await Vault.RepairHeaderAsync(
            _vault.OpenStore(context), context.Environment.Time, context.Stop, context.Get(_ownerFile)).ConfigureAwait(false);
        string source = $"according to {Quantity.Count(report.KeySlots, "key slot")}, "
            + $"{Quantity.Count(report.Sessions, "session")} and {Quantity.Count(report.Machines, "machine")}";
        string text = report.IsExact
            ? $"vault.json is as it was: one byte of it had changed. Vault {report.VaultId}, {source}."
            : $"vault.json was re-created for the vault {report.VaultId}, {source}.\n"
                + "The vault's name is lost, and its creation date is now that of its oldest object.\n"
                + (report.Owner is { } owner
                    ? $"The owner's key has the fingerprint {owner}."
                    : "No machine knows the owner: backups and restores work, but no setting can be changed. "
                        + $"If the vault had an owner, delete vault.json and run this command again with {_ownerFile.Name}.");
        return new Outcome(new HeaderRepairSummary(report.VaultId, report.IsExact, report.KeySlots, report.Sessions, report.Machines, report.Owner), text);
    }
}
