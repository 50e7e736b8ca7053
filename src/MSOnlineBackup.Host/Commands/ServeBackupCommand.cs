using System.CommandLine;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>serve backup</c>.</summary>
internal sealed class ServeBackupCommand : HostCommand
{
    private readonly Option<bool> _stdio;

    public ServeBackupCommand()
        : base(
            "backup",
            "Back up this machine as the server at the other end of standard input and output wants it: what 'agent backup' runs here. Not meant to be typed.",
            "obengine serve backup --stdio")
    {
        _stdio = Flag("--stdio", "Over standard input and output.");
    }

    public override bool WritesBytes => true;

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        if (!context.Has(_stdio))
        {
            throw context.Invalid("It was not said over what to serve.", "Say --stdio.");
        }

        if (context.Environment.OpenInput is not { } openInput)
        {
            throw context.Invalid("Standard input is a terminal, and a server is expected there.", "On the server run 'obengine agent backup HOST'.");
        }

        using Stream input = openInput();
        RecoveryPoint point = await RemoteBackupRun.RunAsync(
            input,
            context.Environment.OutputBytes,
            context.VaultOptions,
            (vault, machineName, stop) => AgentJobs.TryHoldAsync(vault, machineName, context.Environment.Time, stop),
            context.Stop).ConfigureAwait(false);
        return new Outcome(new ServeSummary("serve backup", point.SessionId.ToString()), "");
    }
}
