using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>What a session has sent, counted as it happens. Thread-safe.</summary>
internal sealed class TransferCounters
{
    private long _newBytes;
    private long _storedBytes;

    /// <summary>Bytes of content that were new to the vault, before compression.</summary>
    public long NewBytes => Interlocked.Read(ref _newBytes);

    /// <summary>Bytes sent to the vault, everything included.</summary>
    public long StoredBytes => Interlocked.Read(ref _storedBytes);

    public void AddNew(long bytes)
    {
        Interlocked.Add(ref _newBytes, bytes);
        EngineTelemetry.Added.Add(bytes);
    }

    public void AddStored(long bytes)
    {
        Interlocked.Add(ref _storedBytes, bytes);
        EngineTelemetry.Stored.Add(bytes);
    }
}
