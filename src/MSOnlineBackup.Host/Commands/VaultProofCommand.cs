using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault proof</c>.</summary>
internal sealed class VaultProofCommand : HostCommand
{
    private readonly VaultSelection _vault;

    public VaultProofCommand()
        : base(
            "proof",
            "Say of each machine when it was backed up, since when all of that has been read back, and when a restore was tried.",
            "obengine vault proof --vault /mnt/backup") =>
        _vault = new VaultSelection(this);

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        VaultProofSummary proofs = await vault.Proofs.ReadAsync(context.Stop).ConfigureAwait(false);
        List<MachineProofLine> lines = [.. proofs.Machines.Select(MachineProofLine.Of)];
        context.Renderer.Table(
            lines,
            new TextTable<MachineProofLine>(
                new Column<MachineProofLine>("MACHINE", line => line.Machine),
                new Column<MachineProofLine>("LAST BACKUP", line => context.LocalTime(line.LastBackup)),
                new Column<MachineProofLine>("READ BACK", line => $"{line.VerifiedShare * 100:0} %", AlignRight: true),
                new Column<MachineProofLine>("ALL OF IT SINCE", line => line.LastVerified is { } verified ? context.LocalTime(verified) : "-"),
                new Column<MachineProofLine>("TRIAL RESTORE", line => line.LastTrialRestore is { } trial ? context.LocalTime(trial) : "never"),
                new Column<MachineProofLine>("DIFFERENCES", line => line.TrialDifferences?.ToString() ?? "-", AlignRight: true)));
        foreach (string pack in proofs.DamagedPacks)
        {
            context.Renderer.Item(
                new FindingLine(pack, "Verification has found it damaged or missing.", []), line => $"PROBLEM  {line.Object}: {line.Problem} 'obengine verify --read-data' says what suffers by it.");
        }

        var summary = new ProofSummary(lines.Count, proofs.DamagedPacks.Count, proofs.LastMaintained)
        {
            ExitCode = (int)(proofs.DamagedPacks.Count > 0 ? ExitCode.Failed : ExitCode.Success),
        };
        return new Outcome(summary, $"Maintained: {(proofs.LastMaintained is { } maintained ? context.LocalTime(maintained) : "not on record")}.");
    }
}
