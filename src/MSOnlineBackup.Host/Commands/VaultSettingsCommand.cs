using System.CommandLine;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault settings</c>.</summary>
internal sealed class VaultSettingsCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<string?> _ownerFile;
    private readonly ParityOption _parity;
    private readonly Option<string?> _statuses;
    private readonly Option<string?> _state;
    private readonly Option<string?> _approval;
    private readonly Option<string?> _minAgent;

    public VaultSettingsCommand()
        : base(
            "settings",
            "Change what a vault's owner decides for all of its machines. Data that are there already are included.",
            "obengine vault settings /mnt/backup --parity 5 --owner-file /safe/vault.VaultOwner")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _connection = new ConnectionOptions(this);
        _passphrase = PassphraseOptions.ForOpening(this);
        _ownerFile = Value("--owner-file", "FILE", "The file with the owner's key; the passphrase is the one that it was written with. Default: "
            + "the file that 'vault create' has written on this account.");
        _parity = new ParityOption(this);
        _minAgent = Value("--min-agent-version", "VERSION",
            "The oldest version that may write to the vault, at most this one; older ones still restore. It can be raised, and never be taken back.");
        _statuses = Value("--statuses", "FORM", "Whether each run leaves a status for 'obengine watch': sealed (unless set otherwise), plain, which whoever sees the vault can read, or off.");
        _state = Value("--state", "active|expired|deprovisioned", "How the subscription stands that pays for it. Unless active, nothing is backed up to it; what is in it stays.");
        _approval = Value("--approval", "CODE", "The code of an approver, where the vault has approvers and is to be protected less.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        int? parity = _parity.Read(context);
        Version? minAgent = ReadMinAgent(context);
        StatusForm? statuses = ReadStatuses(context);
        VaultSubscription? state = ReadState(context);
        if (parity is null && state is null && minAgent is null && statuses is null)
        {
            throw context.Invalid("No setting was given.", "Give --parity, --state, --statuses or --min-agent-version.");
        }

        IVaultStore store = VaultLocation.Open(context.Get(_place), _connection.Read(context), context);
        Vault vault = await Vault.OpenAsync(store, context.VaultOptions, context.Stop).ConfigureAwait(false);
        string ownerFile = Path.GetFullPath(context.Get(_ownerFile) ?? VaultCreateCommand.OwnerFileOf(vault.VaultId, context));
        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        if (minAgent is not null)
        {
            await vault.RequireAgentVersionAsOwnerAsync(ownerFile, passphrase, minAgent, context.Stop).ConfigureAwait(false);
        }

        if (parity is not null || state is not null || statuses is not null)
        {
            await vault.ChangeSettingsAsOwnerAsync(ownerFile, passphrase, Change, context.Stop, new Consent(null, context.Get(_approval))).ConfigureAwait(false);
        }

        vault = await Vault.OpenAsync(store, context.VaultOptions, context.Stop).ConfigureAwait(false);
        VaultInfo info = await vault.InspectAsync(context.Stop).ConfigureAwait(false);
        VaultInfoCommand.Warn(info, context);
        return new Outcome(
            VaultInfoCommand.Summarize("vault settings", info),
            string.Join('\n', ((string?[])[Describe(parity), Describe(state), Describe(statuses), Describe(minAgent)]).OfType<string>()));

        VaultSettings Change(VaultSettings settings) => settings with { ParityPercent = parity ?? settings.ParityPercent, Statuses = statuses ?? settings.Statuses, Subscription = state ?? settings.Subscription };
    }

    private static string? Describe(VaultSubscription? state) => state switch
    {
        null => null,
        VaultSubscription.Active => "Machines back up to the vault: its subscription is Active.",
        _ => $"No machine backs up to the vault any more: its subscription is {state}. What is in it stays.",
    };

    private VaultSubscription? ReadState(CommandContext context)
    {
        string[] names = Enum.GetNames<VaultSubscription>();
        return context.Get(_state) is not { } text ? null
            : Array.FindIndex(names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is >= 0 and var index ? Enum.GetValues<VaultSubscription>()[index]
            : throw context.Invalid($"'{text}' is no state of a subscription.", "Use active, expired or deprovisioned.", text);
    }

    private static string? Describe(int? parity) => parity switch
    {
        null => null,
        0 => "The vault keeps no parity any more: the next 'obengine maintain' deletes what there is.",
        _ => $"The vault keeps {parity} % of parity: 'obengine maintain' writes it, for what is stored already too.",
    };

    private static string? Describe(StatusForm? statuses) => statuses switch
    {
        null => null,
        StatusForm.Off => "Runs leave no statuses any more: 'obengine watch' goes by how old recovery points are.",
        StatusForm.Plain => "Runs leave statuses from now on that whoever sees the vault can read.",
        _ => "Runs leave statuses from now on that the passphrase or a monitoring credential opens.",
    };

    private static string? Describe(Version? minAgent) =>
        minAgent is null ? null : $"Versions from {minAgent} on write to the vault; older ones still restore from it.";

    private Version? ReadMinAgent(CommandContext context) => context.Get(_minAgent) is not { } text ? null
        : Version.TryParse(text, out Version? version) ? version
        : throw context.Invalid($"'{text}' is not a version.", "Give numbers with dots between them, such as 1.2.0.", text);

    private StatusForm? ReadStatuses(CommandContext context) => context.Get(_statuses) is not { } text ? null
        : Enum.GetValues<StatusForm>().Select(form => (StatusForm?)form).FirstOrDefault(form => form.ToString()!.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw context.Invalid($"'{text}' is no form of statuses.", "Use sealed, plain or off.", text);
}
