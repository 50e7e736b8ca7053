using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault monitoring-credential</c>.</summary>
internal sealed class VaultMonitoringCredentialCommand : HostCommand
{
    private readonly Argument<string> _file;
    private readonly VaultSelection _vault;

    public VaultMonitoringCredentialCommand()
        : base(
            "monitoring-credential",
            "Write a file by which 'obengine watch' reads the statuses of a chunk store's machines, without the passphrase. It opens nothing else; keep it secret all the same.",
            $"obengine vault monitoring-credential office{MonitoringCredential.Extension} --vault /mnt/backup")
    {
        _file = Required("FILE", "The file, which must not be there.");
        _vault = new VaultSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string file = Path.GetFullPath(context.Get(_file));
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        MonitoringCredential credential = vault.CreateMonitoringCredential();
        credential.Write(file);
        return new Outcome(
            new MonitoringCredentialSummary(file, credential.VaultId, credential.Store),
            $"'{file}' lets an observer read the statuses of this chunk store's machines, and nothing else. Give it to nobody else: who may also write to the vault can write false ones by it.");
    }
}
