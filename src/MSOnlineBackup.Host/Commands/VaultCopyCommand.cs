using System.CommandLine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault copy</c>.</summary>
internal sealed class VaultCopyCommand : HostCommand
{
    private readonly Argument<string> _from;
    private readonly Argument<string> _to;
    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<string[]> _points;
    private readonly Option<bool> _older;
    private readonly Option<bool> _dryRun;
    private readonly CopyRetentionOptions _retention;

    public VaultCopyCommand()
        : base(
            "copy",
            "Copy the recovery points that a twin of a vault lacks to it. Others may back up to both meanwhile.",
            """
            obengine vault copy /mnt/backup /mnt/second --passphrase-file ~/.vault-passphrase
            obengine vault copy /mnt/backup /mnt/second --point latest
            obengine vault copy /mnt/backup /mnt/second --keep-days 30 --keep-months 12
            """)
    {
        _from = Required("VAULT", "The vault's folder, or the URL of its container.");
        _to = Required("TWIN", "That of its twin, which 'obengine vault create --twin-of' has made.");
        _connection = new ConnectionOptions(this);
        _passphrase = PassphraseOptions.ForOpening(this);
        _points = Values("--point", "POINT", "Copy this point only: its id, the beginning of it, or latest.");
        _older = Flag("--older", "Copy points, too, that are older than the newest of their machine that the twin has: also those that have ended there.");
        _retention = new CopyRetentionOptions(this);
        _dryRun = Flag("--dry-run", "Say how many points would be copied, and copy nothing.", "-n");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault source = await OpenAsync(context, _from).ConfigureAwait(false);
        Vault place = await source.OpenTwinAsync(() => OpenAsync(context, _to)).ConfigureAwait(false);
        RetentionPolicy? retention = _retention.Read(context);
        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        using UnlockedVault from = await source.UnlockAsync(passphrase, context.Stop).ConfigureAwait(false);
        using UnlockedVault twin = await from.UnlockTwinAsync(place, passphrase, context.Stop).ConfigureAwait(false);
        VaultCopyRequest request = await ReadAsync(from, context).ConfigureAwait(false);
        VaultCopyReport report = await context.Renderer.FollowAsync(monitor => retention is null
            ? from.CopyToAsync(twin, request, monitor, context.Stop)
            : new CopyRetention(retention, context.Environment.Time).CopyAsync(from, twin, request, monitor, context.Stop)).ConfigureAwait(false);
        return CopyOutcome.Of("vault copy", report, context);
    }

    private async Task<Vault> OpenAsync(CommandContext context, Argument<string> place) => await Vault.OpenAsync(
        VaultLocation.Open(context.Get(place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);

    private async Task<VaultCopyRequest> ReadAsync(UnlockedVault from, CommandContext context)
    {
        HashSet<SessionId> points = [];
        foreach (string point in context.Get(_points))
        {
            points.Add((await from.GetPointAsync(point, null, context.Stop).ConfigureAwait(false)).SessionId);
        }

        return new VaultCopyRequest { Points = points.Count == 0 ? null : points, IncludesOlder = context.Has(_older), IsRehearsal = context.Has(_dryRun) };
    }
}
