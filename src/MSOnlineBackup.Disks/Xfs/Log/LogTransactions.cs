using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>The transactions of a log that were committed, in that order. Held are those that are not committed yet.</summary>
internal sealed class LogTransactions(LogRecords records, LogSpan span, long mostHeld)
{
    private const int OperationLength = 12;
    private const int StartFlag = 1;
    private const int CommitFlag = 2;
    private const int ContinueFlag = 4;
    private const int WasContinuedFlag = 8;
    private const int EndFlag = 16;
    private const int UnmountFlag = 32;

    // Transactions that were begun and say nothing yet have a size, too.
    private const int TransactionSize = 256;

    private readonly Dictionary<uint, LogTransaction> _open = [];

    /// <summary>Reads them.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported: more are open at once than are kept.</exception>
    public async IAsyncEnumerable<LogTransaction> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long held = 0;
        await foreach ((LogHeader header, ReadOnlyMemory<byte> bytes) in records.ReadAsync(span, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> rest = bytes;
            for (long i = 0; i < header.Operations && rest.Length > 0; i++)
            {
                if (rest.Length < OperationLength || BinaryPrimitives.ReadUInt32BigEndian(rest.Span[4..]) > rest.Length - OperationLength)
                {
                    throw XfsFault.Corrupt("a record of its log ends too early");
                }

                uint id = BinaryPrimitives.ReadUInt32BigEndian(rest.Span);
                int length = (int)BinaryPrimitives.ReadUInt32BigEndian(rest.Span[4..]);
                int flags = rest.Span[9] & ~EndFlag;
                ReadOnlyMemory<byte> piece = rest.Slice(OperationLength, length);
                rest = rest[(OperationLength + length)..];
                if (!_open.TryGetValue(id, out LogTransaction? transaction))
                {
                    // What began before the log's tail is in its place.
                    if ((flags & StartFlag) != 0)
                    {
                        _open.Add(id, new LogTransaction(header.Lsn));
                        held += TransactionSize;
                    }

                    continue;
                }

                if ((flags & WasContinuedFlag) != 0)
                {
                    flags &= ~ContinueFlag;
                }

                held -= transaction.Size;
                switch (flags)
                {
                    case 0 or ContinueFlag or WasContinuedFlag:
                        transaction.Add(piece.Span, flags == WasContinuedFlag);
                        held += transaction.Size;
                        break;
                    case CommitFlag or UnmountFlag:
                        _open.Remove(id);
                        held -= TransactionSize;
                        if (flags == CommitFlag)
                        {
                            yield return transaction;
                        }

                        break;
                    default:
                        throw XfsFault.Corrupt($"an operation of its log has the flags 0x{flags:x}");
                }

                if (held > mostHeld)
                {
                    throw XfsFault.Unsupported("its log has more than is kept in memory");
                }
            }
        }
    }
}
