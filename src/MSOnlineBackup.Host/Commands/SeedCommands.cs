using System.CommandLine;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>seed create</c>.</summary>
internal sealed class SeedCreateCommand : HostCommand
{
    private readonly Argument<string> _seed;
    private readonly Argument<string> _vault;
    private readonly ConnectionOptions _connection;

    public SeedCreateCommand()
        : base(
            "create",
            "Make a seed of a vault in a new or empty folder: back up to it, and take its disk to the vault. Asks for no passphrase.",
            "obengine seed create /mnt/disk/seed ssh://backup@nas/srv/vault")
    {
        _seed = Required("SEED", "The folder on the disk. Where a seed of the same vault is there, it is used further.");
        _vault = Required("VAULT", "The vault. Of it only what says which it is, and what opens it, is read.");
        _connection = new ConnectionOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault vault = await Vault.OpenAsync(VaultLocation.Open(context.Get(_vault), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        Vault seed = await Vault.OpenSeedAsync(CreateOrOpen(context), vault, context.Stop).ConfigureAwait(false);
        VaultInfo info = await seed.InspectAsync(context.Stop).ConfigureAwait(false);
        VaultInfoCommand.Warn(info, context);
        string text = $"Seed of the vault {info.VaultId} in {vault.Location} is in {info.Location}.\n"
            + "Back up with '--vault' to that, take the disk to the vault, and bring it in with 'obengine seed import'.";
        return new Outcome(VaultInfoCommand.Summarize("seed create", info), text);
    }

    // What is there already is looked at: it may be a seed.
    private IVaultStore CreateOrOpen(CommandContext context)
    {
        string place = context.Get(_seed);
        try
        {
            return VaultLocation.Create(place, _connection.Read(context), context);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultExists)
        {
            return VaultLocation.Open(place, _connection.Read(context), context);
        }
    }
}

/// <summary><c>seed import</c>.</summary>
internal sealed class SeedImportCommand : HostCommand
{
    private readonly Argument<string> _seed;
    private readonly Argument<string> _vault;
    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<bool> _dryRun;

    public SeedImportCommand()
        : base(
            "import",
            "Bring the recovery points of a seed into its vault. It may be stopped at any moment, and goes on with the next run.",
            "obengine seed import /mnt/disk/seed /srv/vault --passphrase-file ~/.vault-passphrase")
    {
        _seed = Required("SEED", "The folder of the seed.");
        _vault = Required("VAULT", "The vault that it is a seed of.");
        _connection = new ConnectionOptions(this);
        _passphrase = PassphraseOptions.ForOpening(this);
        _dryRun = Flag("--dry-run", "Say how many points would be brought, and bring nothing.", "-n");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault seed = await OpenAsync(context, _seed).ConfigureAwait(false);
        seed.RequireSeed();
        Vault place = await OpenAsync(context, _vault).ConfigureAwait(false);
        seed.RequireTwin(place);
        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        using UnlockedVault from = await seed.UnlockAsync(passphrase, context.Stop).ConfigureAwait(false);
        using UnlockedVault to = await from.UnlockTwinAsync(place, passphrase, context.Stop).ConfigureAwait(false);
        var request = new VaultCopyRequest { IncludesOlder = true, IsRehearsal = context.Has(_dryRun) };
        VaultCopyReport report = await context.Renderer.FollowAsync(monitor => from.CopyToAsync(to, request, monitor, context.Stop)).ConfigureAwait(false);
        return CopyOutcome.Of("seed import", report, context);
    }

    private async Task<Vault> OpenAsync(CommandContext context, Argument<string> place) => await Vault.OpenAsync(
        VaultLocation.Open(context.Get(place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
}
