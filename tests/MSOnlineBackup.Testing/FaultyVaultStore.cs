using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>The calls that a store takes.</summary>
public enum VaultCall
{
    Create,
    Read,
    Stat,
    List,
    Delete,
}

/// <summary>When a fault strikes.</summary>
public enum FaultTiming
{
    /// <summary>Nothing was done.</summary>
    BeforeEffect,

    /// <summary>All was done, and is reported as failed; a listing breaks off after its first object.</summary>
    AfterEffect,
}

/// <summary>How a fault looks.</summary>
public enum FaultKind
{
    /// <summary>One call fails with a transient VaultUnreachable; the next ones succeed.</summary>
    Transient,

    /// <summary>This call and all after it fail with VaultUnreachable.</summary>
    ForGood,

    /// <summary>The job is cancelled in the middle of this call.</summary>
    Cancellation,
}

/// <summary>Counts the calls on a store, and lets one of them fail.</summary>
public sealed class FaultyVaultStore(IVaultStore inner) : IVaultStore
{
    private readonly int[] _calls = new int[Enum.GetValues<VaultCall>().Length];
    private int _counted;

    public string Location => inner.Location;

    public VaultStoreCapabilities Capabilities => inner.Capabilities;

    /// <summary>Which call fails, from 1; null for none.</summary>
    public int? FailAt { get; set; }

    /// <summary>Whether every n-th call fails; null for none.</summary>
    public int? FailEvery { get; set; }

    /// <summary>Which calls count for <see cref="FailAt"/> and <see cref="FailEvery"/>, by kind and object (or prefix); null for all.</summary>
    public Func<VaultCall, string, bool>? Counts { get; init; }

    /// <summary>When it fails.</summary>
    public FaultTiming Timing { get; init; }

    /// <summary>How it fails.</summary>
    public FaultKind Kind { get; init; }

    /// <summary>What <see cref="FaultKind.Cancellation"/> cancels.</summary>
    public CancellationTokenSource Cancellation { get; } = new();

    /// <summary>How many calls were made.</summary>
    public int TotalCalls => _calls.Sum();

    /// <summary>How many of them counted for <see cref="FailAt"/>.</summary>
    public int CountedCalls => _counted;

    /// <summary>How many calls of a kind were made.</summary>
    public int CallsOf(VaultCall call) => _calls[(int)call];

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        Action after = Enter(VaultCall.Create, name);
        bool created = await inner.TryCreateAsync(name, content, cancellationToken, tier);
        after();
        return created;
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Action after = Enter(VaultCall.Read, name);
        int read = await inner.ReadAsync(name, offset, destination, cancellationToken);
        after();
        return read;
    }

    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        Action after = Enter(VaultCall.Stat, name);
        StoredObject? found = await inner.StatAsync(name, cancellationToken);
        after();
        return found;
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Action after = Enter(VaultCall.List, prefix);
        await foreach (StoredObject item in inner.ListAsync(prefix, cancellationToken))
        {
            yield return item;
            after();
        }

        after();
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        Action after = Enter(VaultCall.Delete, name);
        await inner.DeleteAsync(name, cancellationToken);
        after();
    }

    /// <summary>Counts a call and fails where it is to fail before its effect; what comes back fails where it is to fail after.</summary>
    private Action Enter(VaultCall call, string name)
    {
        Interlocked.Increment(ref _calls[(int)call]);
        if (Counts is not null && !Counts(call, name))
        {
            return static () => { };
        }

        int number = Interlocked.Increment(ref _counted);
        bool broken = Kind == FaultKind.ForGood && number > FailAt;
        bool strikes = number == FailAt || number % FailEvery == 0;
        if (broken || (strikes && Timing == FaultTiming.BeforeEffect))
        {
            Fail(call, name);
        }

        return strikes ? () => Fail(call, name) : static () => { };
    }

    private void Fail(VaultCall call, string name)
    {
        if (Kind == FaultKind.Cancellation)
        {
            Cancellation.Cancel();
            throw new OperationCanceledException(Cancellation.Token);
        }

        throw new BackupException(
            BackupErrorId.VaultUnreachable,
            $"The test lets {call} of '{name}' fail.",
            "Run the test without faults.",
            name,
            transient: Kind == FaultKind.Transient);
    }
}
