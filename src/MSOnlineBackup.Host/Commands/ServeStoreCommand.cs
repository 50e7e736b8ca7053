using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Producers;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>serve store</c>.</summary>
internal sealed class ServeStoreCommand : HostCommand
{
    private readonly Option<bool> _stdio;
    private readonly Option<string?> _vault;
    private readonly Option<string[]> _machines;
    private readonly ConnectionOptions _connection;

    public ServeStoreCommand()
        : base(
            "store",
            "Serve a vault to an obengine on another machine, over standard input and output: what 'ssh://' runs there, or a forced command in authorized_keys.",
            """
            obengine serve store --stdio --vault /srv/vault
            obengine serve store --stdio --vault /srv/vault --machine WEB1
            """)
    {
        _stdio = Flag("--stdio", "Over standard input and output.");
        _vault = Value("--vault", "VAULT", $"The vault: its folder, or the URL of its container in Azure. Default: {VaultSelection.Variable}.");
        _machines = Values("--machine", "NAME", "Let the other side do only what backups and restores of this machine need: it adds, and deletes nothing.");
        _connection = new ConnectionOptions(this);
    }

    public override bool WritesBytes => true;

    public override string StopNote => "Stopping; what was created whole stays, and nothing else.";

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        if (!context.Has(_stdio))
        {
            throw context.Invalid("It was not said over what to serve.", "Say --stdio.");
        }

        string location = context.Get(_vault) ?? context.Environment.Variable(VaultSelection.Variable)
            ?? throw context.Invalid("No vault was named.", $"Name its folder or URL with --vault, or set {VaultSelection.Variable}.");
        if (context.Environment.OpenInput is not { } openInput)
        {
            throw context.Invalid("Standard input is a terminal, and a program is expected there.", "Have ssh run it: see docs/ssh.md.");
        }

        VaultConnection connection = _connection.Read(context);
        IReadOnlyList<string> machines = context.Get(_machines);
        using Stream input = openInput();
        await PipedVaultServer.ServeAsync(
            creates => creates && machines.Count == 0
                ? VaultLocation.Create(location, connection, context)
                : VaultLocation.Open(location, connection, context),
            (store, stop) => machines.Count == 0 ? Task.FromResult(PipeAccess.Unlimited) : PipeAccess.ForMachinesAsync(store, machines, stop),
            new StoppableInput(input, context.Stop),
            context.Environment.OutputBytes,
            context.Stop).ConfigureAwait(false);
        return new Outcome(new ServeSummary("serve store", location), "");
    }
}
