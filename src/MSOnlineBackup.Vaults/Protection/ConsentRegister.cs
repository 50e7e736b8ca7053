using System.Security.Cryptography;
using System.Text.Json;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// The codes that a vault's owner and its approvers have given out, each good once and for a short time: <c>consents/NUMBER</c>, and <c>consents/NUMBER.used</c> once it was used.
/// Creating that name decides who uses a code, and says by the clock of the store when: no other clock takes part.
/// </summary>
/// <param name="vault">The vault.</param>
/// <param name="signers">Who may give out codes of the kind.</param>
/// <param name="kind">"pin" or "approval".</param>
internal sealed class ConsentRegister(KnownVault vault, IReadOnlyList<OwnerIdentity> signers, string kind)
{
    // Each trial is slow. Whoever was given a code uses it within minutes.
    private const int MostTrials = 8;

    private const int UseLength = 16;

    private NumberedSeries<ConsentRecord> Series => new(vault.Objects, VaultLayout.Consents, TryOpen);

    /// <summary>Gives out a code.</summary>
    /// <param name="signer">One of those who may.</param>
    /// <param name="operation">For what; null for any one operation.</param>
    /// <param name="validity">For how long, in whole seconds.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IssuedConsent> IssueAsync(OwnerKey signer, GuardedOperation? operation, TimeSpan validity, CancellationToken cancellationToken)
    {
        string code = ConsentCode.Create();
        ConsentRecord record = ConsentRecord.Create(
            kind, ConsentCode.Normalize(code)!, operation, validity, vault.Options.Derivation ?? PassphraseDerivation.Best);
        NumberedSeries<ConsentRecord> series = Series;

        // No number is used again, though its consent is tidied away.
        uint newest = (await ConsentNames.ListAsync(vault.Objects, cancellationToken).ConfigureAwait(false)).Newest;
        uint number = await series.AppendAsync(
            _ => Task.FromResult<ConsentRecord?>(record),
            (name, state) => RecordEnvelope.Sign(signer, vault.VaultId, name, JsonSerializer.SerializeToUtf8Bytes(state, ConsentJson.Default.ConsentRecord)),
            cancellationToken,
            newest).ConfigureAwait(false);
        StoredObject created = await vault.Objects.StatAsync(series.NameOf(number), cancellationToken).ConfigureAwait(false) ?? throw VaultDamage.Missing(series.NameOf(number), "The record");
        return new IssuedConsent(code, created.Created + validity, operation);
    }

    /// <summary>Finds the record of a code, newest first; what is wrong with it is said. Nothing is used yet.</summary>
    /// <param name="typed">The code as it was typed.</param>
    /// <param name="operation">For what it is to be used.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Its number, or why there is none: the end of "The … is not accepted: …".</returns>
    public async Task<(uint Number, string? Fault)> FindAsync(string typed, GuardedOperation operation, CancellationToken cancellationToken)
    {
        if (ConsentCode.Normalize(typed) is { } code)
        {
            int trials = 0;
            NumberedSeries<ConsentRecord> series = Series;
            foreach (uint number in await series.ListAsync(cancellationToken).ConfigureAwait(false))
            {
                if (await series.ReadAsync(number, cancellationToken).ConfigureAwait(false) is not { } record)
                {
                    continue;
                }

                if (record.Is(code))
                {
                    return record.Operation is not { } other || other == operation ? (number, null) : (0, "it was given out for something else");
                }

                if (++trials == MostTrials)
                {
                    break;
                }
            }
        }

        return (0, "it is none that was given out lately");
    }

    /// <summary>Uses a code.</summary>
    /// <returns>Null where it is good; else why it is not.</returns>
    public async Task<string?> UseAsync(uint number, CancellationToken cancellationToken)
    {
        string use = VaultLayout.ConsentUse(number);
        NumberedSeries<ConsentRecord> series = Series;

        // Whether a name that is taken was taken by this call, whose answer was lost, shows by what is in it.
        byte[] mine = RandomNumberGenerator.GetBytes(UseLength);
        if (!await vault.Objects.TryCreateAsync(use, mine, cancellationToken).ConfigureAwait(false)
            && (await VaultHeader.ReadSmallAsync(vault.Objects, use, UseLength, cancellationToken).ConfigureAwait(false))?.SequenceEqual(mine) != true)
        {
            return "it was used already";
        }

        // Whether it is over is looked at after the name was taken: that is written before a name is free again.
        return number > (await ConsentNames.ListAsync(vault.Objects, cancellationToken).ConfigureAwait(false)).Over
            && await vault.Objects.StatAsync(series.NameOf(number), cancellationToken).ConfigureAwait(false) is { } given
            && await vault.Objects.StatAsync(use, cancellationToken).ConfigureAwait(false) is { } used
            && await series.ReadAsync(number, cancellationToken).ConfigureAwait(false) is { } record
            && (used.Created - given.Created).Duration() <= TimeSpan.FromSeconds(record.Seconds)
                ? null
                : "it has expired";
    }

    private ConsentRecord? TryOpen(string name, byte[] content)
    {
        if (!RecordEnvelope.TrySplit(content, out ReadOnlySpan<byte> body, out RecordProof proof) || !IsSigned(proof, name, body))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(body, ConsentJson.Default.ConsentRecord) is { IsSound: true } record && record.Kind == kind ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool IsSigned(RecordProof proof, string name, ReadOnlySpan<byte> body)
    {
        foreach (OwnerIdentity signer in signers)
        {
            if (proof.IsSigned(signer, vault.VaultId, name, body))
            {
                return true;
            }
        }

        return false;
    }
}
