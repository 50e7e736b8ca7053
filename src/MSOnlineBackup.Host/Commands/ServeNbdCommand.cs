using System.CommandLine;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>serve nbd</c>.</summary>
internal sealed class ServeNbdCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly Argument<string> _path;
    private readonly Option<int> _port = ServePort.Option();
    private readonly Option<string?> _socket;
    private readonly VaultSelection _vault;

    public ServeNbdCommand()
        : base(
            "nbd",
            "Show the image of a disk in a recovery point as a disk that is only read, to QEMU and other programs of this machine that speak NBD, until stopped.",
            """
            obengine serve nbd latest /srv/images/mail.raw --vault /mnt/backup
            obengine serve nbd latest /srv/images/mail.raw --socket /run/mail.sock --vault /mnt/backup
            """)
    {
        _point = new PointSelection(this);
        _path = Required("PATH", "The full path of the image, as it was backed up.");
        Add(_port);
        _socket = Value("--socket", "FILE", "Listen on a new socket by this path, which only this account can use, instead of a port.");
        _vault = new VaultSelection(this);
    }

    public override string StopNote => ServePort.StopNote;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string? socket = context.Get(_socket);
        if (socket is not null && context.Parsed.GetResult(_port) is { Implicit: false })
        {
            throw context.Invalid("Both --port and --socket were given.", "Give one of them.");
        }

        string path = context.Get(_path);
        await using ServedView served = await ServedView.OpenAsync(context, _vault, vault => _point.GetAsync(context, vault), null).ConfigureAwait(false);
        ViewItem file = await served.View.FindPathAsync(served.Point!, path, context.Stop).ConfigureAwait(false) ?? throw new BackupException(
            BackupErrorId.RecoverableItemNotFound, $"The recovery point has no '{path}'.", "See 'obengine ls' for what it has, and write the path in full.", path);
        await using NbdServer server = NbdServer.Start(
            served.View, file, new NbdOptions { Port = context.Parsed.GetValue(_port), SocketPath = socket, Report = ServedView.Report(context) });
        context.Renderer.Item(
            new ServingLine("nbd", server.Address, null, served.Point!.SessionId.ToString(), file.Entry.Size),
            line => $"""
                Served at {line.Address}
                {(socket is null ? "Whoever has this address and an account on this machine can read it." : "Only this account can read it.")} How to use it here:
                  copy:     qemu-img convert -p '{line.Address}' -O raw FILE, or nbdcopy '{line.Address}' FILE
                  start:    qemu-img create -f qcow2 -F raw -b '{line.Address}' overlay.qcow2, and QEMU with overlay.qcow2
                  look in:  guestfish --ro --format=raw -a '{line.Address}'
                Ctrl+C ends it.
                """);
        await ServedView.WaitAsync(context).ConfigureAwait(false);
        return new Outcome(new ServeSummary("serve nbd", server.Address), "");
    }
}
