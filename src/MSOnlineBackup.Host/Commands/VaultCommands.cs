using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault create</c>.</summary>
internal sealed class VaultCreateCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;
    private readonly KdfOption _kdf;
    private readonly Option<string?> _ownerFile;
    private readonly ParityOption _parity;
    private readonly Option<string?> _twinOf;

    public VaultCreateCommand()
        : base(
            "create",
            "Create an empty vault in a new or empty folder, of this machine or of another, or in a container in Azure.",
            """
            obengine vault create /mnt/backup --passphrase-file ~/.vault-passphrase
            obengine vault create ssh://backup@nas/srv/vault
            obengine vault create https://ACCOUNT.blob.core.windows.net/CONTAINER
            obengine vault create /mnt/second --twin-of /mnt/backup
            """)
    {
        _place = Required("VAULT", "The folder, ssh://HOST/PATH for one of another machine, or the URL of the container. It is created if it does not exist.");
        _connection = new ConnectionOptions(this);
        _passphrase = PassphraseOptions.ForCreating(this);
        _kdf = new KdfOption(this);
        _ownerFile = Value(
            "--owner-file",
            "FILE",
            "Write the owner's key to this file, sealed under the passphrase. Only the owner may change the vault's settings. Default: "
                + "a file in this account's configuration folder.");
        _parity = new ParityOption(this);
        _twinOf = Value(
            "--twin-of",
            "VAULT",
            "Create a twin of this vault: of the same id, opened by the same passphrases, with the same owner and settings. It takes copies of its recovery points ('obengine vault copy'). "
                + "No passphrase is asked for.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        VaultOptions options = _kdf.Apply(context.VaultOptions, context);
        int? parity = _parity.Read(context);
        if (context.Get(_twinOf) is { } original)
        {
            return options.PassphraseKdf != PassphraseKdf.Automatic || parity is not null || context.Get(_ownerFile) is not null || _passphrase.IsNamed(context)
                ? throw context.Invalid(
                    "A twin has the passphrases, the owner and the settings of its vault.",
                    $"Leave out what says otherwise beside {_twinOf.Name}. The owner changes settings afterwards: 'obengine vault settings'.")
                : await CreateTwinAsync(original, context).ConfigureAwait(false);
        }

        IVaultStore store = VaultLocation.Create(context.Get(_place), _connection.Read(context), context);
        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        string? ownerFile = null;
        Vault vault = await Vault.CreateAsync(
            store,
            passphrase,
            options,
            context.Stop,
            owner =>
            {
                ownerFile = Path.GetFullPath(context.Get(_ownerFile) ?? ChooseOwnerFile(owner, context));
                OwnerFile.Write(ownerFile, owner, passphrase, options);
            }).ConfigureAwait(false);
        if (parity is { } percent)
        {
            await vault.ChangeSettingsAsOwnerAsync(
                ownerFile!, passphrase, settings => settings with { ParityPercent = percent }, context.Stop).ConfigureAwait(false);
        }

        VaultInfo info = await vault.InspectAsync(context.Stop).ConfigureAwait(false);
        VaultInfoCommand.Warn(info, context);
        string text = $"Vault {info.VaultId} created in {info.Location}.\n"
            + "Keep the passphrase where you will find it when this machine is gone: without it, nobody can read the backups.\n"
            + $"The owner's key is in '{ownerFile}', sealed under the same passphrase. Keep a copy elsewhere: "
            + "without it, the vault's settings cannot be changed.";
        return new Outcome(VaultInfoCommand.Summarize("vault create", info) with { OwnerFile = ownerFile }, text);
    }

    private async Task<Outcome> CreateTwinAsync(string original, CommandContext context)
    {
        Vault known = await Vault.OpenAsync(VaultLocation.Open(original, _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        IVaultStore store = VaultLocation.Create(context.Get(_place), _connection.Read(context), context);
        Vault twin = await Vault.CreateTwinAsync(store, known, context.Stop).ConfigureAwait(false);
        VaultInfo info = await twin.InspectAsync(context.Stop).ConfigureAwait(false);
        VaultInfoCommand.Warn(info, context);
        string text = $"Twin of the vault {info.VaultId} in {known.Location} created in {info.Location}.\n"
            + "What opens the one opens the other, and the same owner's file is for both. It has no recovery points yet: 'obengine vault copy' brings them.";
        return new Outcome(VaultInfoCommand.Summarize("vault create", info), text);
    }

    private string ChooseOwnerFile(NewOwner owner, CommandContext context)
    {
        if (context.Environment.ConfigurationFolder.Length == 0)
        {
            throw context.Invalid(
                "This account has no configuration folder to keep the owner's key of the vault in.", $"Name a file for it with {_ownerFile.Name}.");
        }

        string folder = FolderOf(context);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw context.Invalid($"The owner's key of the vault cannot be kept in '{folder}': {e.Message}", $"Name a file for it with {_ownerFile.Name}.");
        }

        return OwnerFileOf(owner.VaultId, context);
    }

    /// <summary>Where the owner's key of a vault is kept unless somebody says otherwise.</summary>
    internal static string OwnerFileOf(string vaultId, CommandContext context) => Path.Combine(FolderOf(context), vaultId + OwnerFile.Extension);

    private static string FolderOf(CommandContext context) => Path.Combine(context.Environment.ConfigurationFolder, "msonlinebackup");
}

/// <summary><c>vault info</c>.</summary>
internal sealed class VaultInfoCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;

    public VaultInfoCommand()
        : base("info", "Show what can be known about a vault without its passphrase.", "obengine vault info /mnt/backup")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _connection = new ConnectionOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IVaultStore store = VaultLocation.Open(context.Get(_place), _connection.Read(context), context);
        Vault vault = await Vault.OpenAsync(store, context.VaultOptions, context.Stop).ConfigureAwait(false);
        VaultInfo info = await vault.InspectAsync(context.Stop).ConfigureAwait(false);
        Warn(info, context);
        string text =
            $"""
            vault     {info.VaultId}
            location  {info.Location}
            format    {info.FormatVersion}
            created   {context.LocalTime(info.Created)}
            machines  {(info.Machines.Count == 0 ? "-" : string.Join(", ", info.Machines.Select(VisibleText.Line)))}
            state     {info.Settings.Subscription}
            limit     {Quantity.Count(info.Settings.MachineLimit, "machine")}
            undelete  {Quantity.Count(info.Settings.UndeleteDays, "day")}
            parity    {(info.Settings.ParityPercent == 0 ? "-" : $"{info.Settings.ParityPercent} %")}
            statuses  {info.Settings.Statuses.ToString().ToLowerInvariant()}
            owner     {info.Owner ?? "-"}
            points    {Quantity.Count(info.Points)}
            stored    {Quantity.Size(info.StoredBytes)} in {Quantity.Count(info.Objects, "object")}{(info.UnfinishedWrites.Count == 0 ? "" : $"\nunwritten {Describe(info.UnfinishedWrites)}")}
            """;
        return new Outcome(Summarize("vault info", info), text);
    }

    internal static string Describe(UnfinishedWrites writes) =>
        $"{Quantity.Count(writes.Count, "temporary file")}, {Quantity.Size(writes.Bytes)}: "
            + "from a job that is running or was killed; a backup removes those older than a day";

    internal static void Warn(VaultInfo info, CommandContext context)
    {
        if (info.Warning is { } warning)
        {
            context.Renderer.Note(warning);
        }
    }

    internal static VaultSummary Summarize(string command, VaultInfo info) => new(
        command,
        info.VaultId,
        info.FormatVersion,
        info.Created,
        info.Location,
        info.Machines,
        info.Settings.Subscription,
        info.Settings.MachineLimit,
        info.Settings.UndeleteDays,
        info.Settings.ParityPercent,
        info.Settings.Statuses,
        info.Owner,
        OwnerFile: null,
        info.Points,
        info.Objects,
        info.StoredBytes,
        info.UnfinishedWrites.Count,
        info.UnfinishedWrites.Bytes);
}

/// <summary><c>vault rehydrate</c>.</summary>
internal sealed class VaultRehydrateCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;
    private readonly Option<bool> _urgently;

    public VaultRehydrateCommand()
        : base("rehydrate", "Bring archived objects of a vault in Azure back, so that they can be read.", "obengine vault rehydrate https://ACCOUNT.blob.core.windows.net/CONTAINER")
    {
        _place = Required("URL", "The URL of the vault's container.");
        _urgently = Flag("--priority", "Rehydrate faster, at a higher price: small objects take about an hour, instead of up to 15.");
        _connection = new ConnectionOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IVaultStore store = VaultLocation.Open(context.Get(_place), _connection.Read(context), context);
        VaultRehydration found = await Vault.RehydrateAsync(store, context.Has(_urgently), context.Stop).ConfigureAwait(false);
        string text =
            $"""
            started  {Quantity.Count(found.Started, "object")}, {Quantity.Size(found.StartedBytes)}
            pending  {Quantity.Count(found.Pending, "object")}, {Quantity.Size(found.PendingBytes)}
            """;
        return new Outcome(new RehydrationSummary(found.Started, found.StartedBytes, found.Pending, found.PendingBytes), text);
    }
}
