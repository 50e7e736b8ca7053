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
        : base("header", "Make a lost or damaged vault.json anew from the other objects; needs no passphrase.", "obengine repair header --vault /mnt/backup")
    {
        _vault = new VaultSelection(this);
        _ownerFile = Value("--owner-file", "FILE", "The file with the owner's key: for a vault of which no machine says who its owner is, or of which they say different things. Its passphrase is not needed.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        HeaderRepairReport report = await Vault.RepairHeaderAsync(
            _vault.OpenStore(context), context.Environment.Time, context.Stop, context.Get(_ownerFile)).ConfigureAwait(false);
        string source = $"{Quantity.Count(report.KeySlots, "key slot")}, {Quantity.Count(report.Sessions, "session")} and {Quantity.Count(report.Machines, "machine")} say so";
        string text = report.IsExact
            ? $"vault.json is as it was: one byte of it had changed. Vault {report.VaultId}; {source}."
            : $"vault.json was made anew for the vault {report.VaultId}; {source}.\n"
                + "What nothing else says is lost: the vault's name, and when it was made, which counts from the oldest object now.\n"
                + (report.Owner is { } owner
                    ? $"Its owner's key has the fingerprint {owner}."
                    : $"Nobody said who its owner is: backups and restores go on, and nothing can be set. If it had an owner, delete vault.json and run this again with {_ownerFile.Name}.");
        return new Outcome(new HeaderRepairSummary(report.VaultId, report.IsExact, report.KeySlots, report.Sessions, report.Machines, report.Owner), text);
    }
}
