using System.Globalization;
using MSOnlineBackup.Agent.Contact;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Whether this machine reaches its vault, and backups to it are not stopped.</summary>
internal sealed class VaultChecks(MachineAccount account, VaultContact contact, HealthContext context, TimeProvider clock)
{
    // Who asks how it stands does not wait for a network that is silent.
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(15);

    private static readonly HealthCheck[] _way = [HealthCheck.Network, HealthCheck.Proxy, HealthCheck.Clock, HealthCheck.VaultAccess];

    /// <summary>What is said where there is no vault to ask.</summary>
    public static IEnumerable<HealthFinding> None(string why) => _way.Concat([HealthCheck.AgentVersion, HealthCheck.Contact]).Select(check => HealthFinding.NotApplicable(check, why));

    /// <summary>Of the vault that this machine is registered with.</summary>
    public async Task<IReadOnlyList<HealthFinding>> RunAsync(MachineRegistration registration, CancellationToken cancellationToken)
    {
        Vault? vault = null;
        VaultSubscription? subscription = null;
        BackupException? failure = null;
        async Task OpenAsync(CancellationToken stop)
        {
            try
            {
                vault = await account.Vault.OpenAsync(stop).ConfigureAwait(false);
                subscription = await VaultContact.ReadAsync(vault, stop).ConfigureAwait(false);
            }
            catch (BackupException e)
            {
                failure = e;
                throw;
            }
        }

        var address = new VaultAddress(registration.VaultLocation);
        IReadOnlyList<HealthFinding> way = address.IsContainer && context.TestWay is { } test
            ? await TestAsync(test, address, OpenAsync, cancellationToken).ConfigureAwait(false)
            : [.. NotNeeded(address), await CheckFolderAsync(address.Location, OpenAsync, cancellationToken).ConfigureAwait(false)];
        return [.. way, CheckVersion(vault), CheckContact(subscription, failure)];
    }

    // What the vault says now counts for more than what is remembered; nothing is noted.
    private HealthFinding CheckContact(VaultSubscription? said, BackupException? failure)
    {
        ContactStatus? known = said is { } subscription ? new ContactStatus(clock.GetUtcNow(), IsLost: false, subscription) : contact.Find();
        if (known is null)
        {
            return HealthFinding.NotApplicable(HealthCheck.Contact, "The vault was never asked.");
        }

        (BackupException? reason, bool isStopped) = contact.Judge(known, failure);
        return reason is null
            ? HealthFinding.Pass(HealthCheck.Contact, string.Create(
                CultureInfo.InvariantCulture, $"The vault has answered {known.Last.UtcDateTime:u}, and takes backups as far as its subscription goes."))
            : new HealthFinding(HealthCheck.Contact, isStopped ? HealthVerdict.Fail : HealthVerdict.Warning, reason.Message, reason.RecommendedAction);
    }

    private async Task<IReadOnlyList<HealthFinding>> TestAsync(VaultWayTest test, VaultAddress vault, Func<CancellationToken, Task> openAsync,
        CancellationToken cancellationToken)
    {
        try
        {
            return await test(vault.Location, account.Connect(vault, VaultPatience.Person), openAsync, _limit, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            // The setting of the proxy is no address, for one.
            return
            [
                HealthFinding.Fail(HealthCheck.Network, e.Message, e.RecommendedAction),
                .. _way.Where(check => check != HealthCheck.Network).Select(check => HealthFinding.NotApplicable(check, "The vault cannot be asked.")),
            ];
        }
    }

    private static HealthFinding CheckVersion(Vault? vault) => vault switch
    {
        null => HealthFinding.NotApplicable(HealthCheck.AgentVersion, "The vault cannot be read."),
        _ when vault.FindOutdated() is { } outdated => HealthFinding.Fail(HealthCheck.AgentVersion, outdated.Message, outdated.RecommendedAction),
        _ => HealthFinding.Pass(
            HealthCheck.AgentVersion,
            vault.MinAgentVersion is { } least ? $"This is version {Product.Version}; the vault asks for {least} at least."
                : $"This is version {Product.Version}; the vault takes any."),
    };

    private static IEnumerable<HealthFinding> NotNeeded(VaultAddress vault) =>
        _way.Where(check => check != HealthCheck.VaultAccess).Select(check => HealthFinding.NotApplicable(check, vault.IsSsh ? "The vault is reached by ssh." : "The vault is a folder."));

    private async Task<HealthFinding> CheckFolderAsync(string location, Func<CancellationToken, Task> openAsync, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await openAsync(either.Token).ConfigureAwait(false);
            return HealthFinding.Pass(HealthCheck.VaultAccess, $"This account may read the vault '{location}'.");
        }
        catch (BackupException e)
        {
            return HealthFinding.Fail(HealthCheck.VaultAccess, e.Message, e.RecommendedAction);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return HealthFinding.Fail(
                HealthCheck.VaultAccess,
                $"The vault '{location}' has not answered for {_limit.TotalSeconds:0} seconds.",
                "Check whether its disk or share is still there: 'mount', or the server that it comes from.");
        }
    }
}
