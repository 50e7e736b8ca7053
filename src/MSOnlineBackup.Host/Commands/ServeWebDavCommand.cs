using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Mounts.WebDav;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>serve webdav</c>.</summary>
internal sealed class ServeWebDavCommand : HostCommand
{
    private readonly Argument<string?> _point;
    private readonly Option<bool> _all;
    private readonly Option<string?> _machine;
    private readonly Option<bool> _skipDamaged = PointSelection.SkipDamaged();
    private readonly Option<int> _port = ServePort.Option();
    private readonly VaultSelection _vault;

    public ServeWebDavCommand()
        : base(
            "webdav",
            "Show a recovery point, or all of them, as a folder of the network to programs of this machine, until stopped: to Explorer, Finder, rclone and browsers.",
            """
            obengine serve webdav latest --vault /mnt/backup
            obengine serve webdav --all --vault /mnt/backup --json
            """)
    {
        _point = Optional("POINT", "A recovery point: the first digits of its id as 'obengine points' shows it, or 'latest'.");
        _all = Flag("--all", "Show all points: a folder for each machine, in it one for each point, and 'latest'.");
        _machine = Value("--machine", "NAME", "Only points of this machine: 'latest' is its newest.");
        Add(_skipDamaged);
        Add(_port);
        _vault = new VaultSelection(this);
    }

    public override string StopNote => ServePort.StopNote;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string? point = context.GetOptional(_point);
        if (point is null != context.Has(_all))
        {
            throw context.Invalid("Name a recovery point, or say --all.");
        }

        string? machine = context.Get(_machine);
        Func<UnlockedVault, Task<RecoveryPoint>>? choose =
            point is null ? null : vault => PointSelection.GetAsync(context, vault, point, machine, context.Has(_skipDamaged));
        await using ServedView served = await ServedView.OpenAsync(context, _vault, choose, machine).ConfigureAwait(false);
        var options = new WebDavOptions
        {
            Port = context.Parsed.GetValue(_port), IsOfAllPoints = point is null, Report = ServedView.Report(context), Clock = context.Environment.Time,
        };
        await using WebDavServer server = WebDavServer.Start(served.View, options);
        context.Renderer.Item(
            new ServingLine("webdav", server.Address.AbsoluteUri, server.Secret, served.Point?.SessionId.ToString(), null),
            line => $"""
                Served at {line.Address}
                Whoever has this address can read what it shows. How to open it on this machine:
                  Windows:  net use * {line.Address.TrimEnd('/')}
                  macOS:    in Finder, Go > Connect to Server (Command-K): {line.Address}
                  rclone:   rclone copy --webdav-url={line.Address} :webdav: TARGET
                  others:   {server.Root} with any user and the password {line.Secret}
                Ctrl+C ends it.
                """);
        await ServedView.WaitAsync(context).ConfigureAwait(false);
        return new Outcome(new ServeSummary("serve webdav", server.Address.AbsoluteUri), "");
    }
}
