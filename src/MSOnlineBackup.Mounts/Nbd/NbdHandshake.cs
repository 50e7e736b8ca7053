using System.Buffers.Binary;
using System.Text;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>What server and client settle before the disk is read: the fixed newstyle negotiation.</summary>
/// <param name="stream">The connection.</param>
/// <param name="export">The disk.</param>
/// <param name="places">One for each client that has the disk. Who finds none left is told so: many clients open all their connections before they use the first.</param>
internal sealed class NbdHandshake(Stream stream, NbdExport export, SemaphoreSlim places)
{
    private const int MostOptions = 256;

    private static readonly TimeSpan _mostTime = TimeSpan.FromSeconds(30);

    private bool _noZeroes;

    /// <summary>Whether the client takes structured answers.</summary>
    public bool IsStructured { get; private set; }

    /// <summary>Whether the client has chosen to be told of holes.</summary>
    public bool TellsAllocation { get; private set; }

    /// <summary>Whether the client has a place, which is to be given back; also where it has not come to an end.</summary>
    public bool HasPlace { get; private set; }

    /// <summary>Settles it.</summary>
    /// <returns>Whether the client goes on; false where it has gone, gets no place, or what it says is none of the protocol.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(_mostTime);
        return await SettleAsync(late.Token).ConfigureAwait(false);
    }

    private async Task<bool> SettleAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[18];
        BinaryPrimitives.WriteUInt64BigEndian(buffer, NbdProtocol.Greeting);
        BinaryPrimitives.WriteUInt64BigEndian(buffer.AsSpan(8), NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(16), NbdProtocol.FixedNewstyle | NbdProtocol.NoZeroes);
        await stream.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        await stream.ReadExactlyAsync(buffer.AsMemory(0, 4), cancellationToken).ConfigureAwait(false);
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(buffer);
        if ((flags & ~(uint)(NbdProtocol.FixedNewstyle | NbdProtocol.NoZeroes)) != 0)
        {
            return false;
        }

        _noZeroes = (flags & NbdProtocol.NoZeroes) != 0;
        for (int options = 0; options < MostOptions; options++)
        {
            await stream.ReadExactlyAsync(buffer.AsMemory(0, 16), cancellationToken).ConfigureAwait(false);
            var option = (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(8));
            uint length = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(12));
            if (BinaryPrimitives.ReadUInt64BigEndian(buffer) != NbdProtocol.OptionMagic || length > NbdProtocol.MaxRequest)
            {
                return false;
            }

            if (length > NbdProtocol.MaxOption)
            {
                await NbdStream.SkipAsync(stream, length, cancellationToken).ConfigureAwait(false);
                await AnswerAsync(option, NbdAnswer.TooBig, "The option is too long.", cancellationToken).ConfigureAwait(false);
                continue;
            }

            byte[] data = new byte[length];
            await stream.ReadExactlyAsync(data, cancellationToken).ConfigureAwait(false);
            switch (option)
            {
                case NbdOption.ExportName:
                    return await BeginAsync(data, cancellationToken).ConfigureAwait(false);
                case NbdOption.Abort:
                    await AnswerAsync(option, NbdAnswer.Ack, "", cancellationToken).ConfigureAwait(false);
                    return false;
                case NbdOption.Go or NbdOption.Info:
                    if (await InformAsync(option, data, cancellationToken).ConfigureAwait(false) && option == NbdOption.Go)
                    {
                        return true;
                    }

                    break;
                default:
                    await AnswerAsync(option, data, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }

        return false;
    }

    private async Task AnswerAsync(NbdOption option, byte[] data, CancellationToken cancellationToken)
    {
        switch (option)
        {
            case NbdOption.StructuredReply when data.Length == 0:
                IsStructured = true;
                await AnswerAsync(option, NbdAnswer.Ack, "", cancellationToken).ConfigureAwait(false);
                break;
            case NbdOption.List when data.Length == 0:
                await ListAsync(cancellationToken).ConfigureAwait(false);
                break;
            case NbdOption.ListMetaContext or NbdOption.SetMetaContext:
                await AnswerQueriesAsync(option, data, cancellationToken).ConfigureAwait(false);
                break;
            case NbdOption.StructuredReply or NbdOption.List:
                await AnswerAsync(option, NbdAnswer.Invalid, "The option has no data.", cancellationToken).ConfigureAwait(false);
                break;
            default:
                await AnswerAsync(option, NbdAnswer.Unsupported, "The option is not known here.", cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    // The old way to choose a disk has no way to say no.
    private async Task<bool> BeginAsync(byte[] name, CancellationToken cancellationToken)
    {
        if (!export.Name.Is(name) || !await TakePlaceAsync().ConfigureAwait(false))
        {
            return false;
        }

        byte[] answer = new byte[_noZeroes ? 10 : 134];
        WriteExport(answer);
        await stream.WriteAsync(answer, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> InformAsync(NbdOption option, byte[] data, CancellationToken cancellationToken)
    {
        if (!NbdOptionData.TryReadInfo(data, out NbdInfoRequest request))
        {
            await AnswerAsync(option, NbdAnswer.Invalid, "The option's data are not as they should be.", cancellationToken).ConfigureAwait(false);
            return false;
        }

        if (!export.Name.Is(request.Export))
        {
            await AnswerUnknownAsync(option, cancellationToken).ConfigureAwait(false);
            return false;
        }

        if (option == NbdOption.Go && !await TakePlaceAsync().ConfigureAwait(false))
        {
            await AnswerAsync(option, NbdAnswer.Policy, "As many clients as there may be have this disk already.", cancellationToken).ConfigureAwait(false);
            return false;
        }

        byte[] info = new byte[12];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)NbdInfo.Export);
        WriteExport(info.AsSpan(2));
        await AnswerAsync(option, NbdAnswer.Info, info, cancellationToken).ConfigureAwait(false);
        if (request.WantsName)
        {
            byte[] name = [0, (byte)NbdInfo.Name, .. Encoding.UTF8.GetBytes(export.Name.Text)];
            await AnswerAsync(option, NbdAnswer.Info, (ReadOnlyMemory<byte>)name, cancellationToken).ConfigureAwait(false);
        }

        if (request.WantsBlockSize)
        {
            byte[] sizes = new byte[14];
            BinaryPrimitives.WriteUInt16BigEndian(sizes, (ushort)NbdInfo.BlockSize);
            BinaryPrimitives.WriteUInt32BigEndian(sizes.AsSpan(2), 1);
            BinaryPrimitives.WriteUInt32BigEndian(sizes.AsSpan(6), NbdProtocol.PreferredBlock);
            BinaryPrimitives.WriteUInt32BigEndian(sizes.AsSpan(10), NbdProtocol.MaxRequest);
            await AnswerAsync(option, NbdAnswer.Info, (ReadOnlyMemory<byte>)sizes, cancellationToken).ConfigureAwait(false);
        }

        await AnswerAsync(option, NbdAnswer.Ack, "", cancellationToken).ConfigureAwait(false);
        return true;
    }

    // A name that is a secret is not listed.
    private async Task ListAsync(CancellationToken cancellationToken)
    {
        if (export.Name.Text.Length > 0)
        {
            await AnswerAsync(NbdOption.List, NbdAnswer.Policy, "The disk's name is a secret.", cancellationToken).ConfigureAwait(false);
            return;
        }

        await AnswerAsync(NbdOption.List, NbdAnswer.Server, (ReadOnlyMemory<byte>)new byte[4], cancellationToken).ConfigureAwait(false);
        await AnswerAsync(NbdOption.List, NbdAnswer.Ack, "", cancellationToken).ConfigureAwait(false);
    }

    private async Task AnswerQueriesAsync(NbdOption option, byte[] data, CancellationToken cancellationToken)
    {
        bool isRead = NbdOptionData.TryReadQueries(data, out NbdQueries queries);
        bool sets = option == NbdOption.SetMetaContext;
        if (sets)
        {
            // What was chosen before counts no longer, whatever becomes of this.
            TellsAllocation = false;
        }

        if (!isRead || (sets && !IsStructured))
        {
            await AnswerAsync(option, NbdAnswer.Invalid, isRead ? "Structured replies come first." : "The option's data are not as they should be.", cancellationToken).ConfigureAwait(false);
            return;
        }

        if (!export.Name.Is(queries.Export))
        {
            await AnswerUnknownAsync(option, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (queries.AsksForAllocation || (!sets && (queries.Count == 0 || queries.AsksForNamespace)))
        {
            TellsAllocation |= sets;
            byte[] context = new byte[4 + NbdProtocol.Allocation.Length];
            BinaryPrimitives.WriteUInt32BigEndian(context, sets ? NbdProtocol.AllocationId : 0);
            Encoding.ASCII.GetBytes(NbdProtocol.Allocation, context.AsSpan(4));
            await AnswerAsync(option, NbdAnswer.MetaContext, (ReadOnlyMemory<byte>)context, cancellationToken).ConfigureAwait(false);
        }

        await AnswerAsync(option, NbdAnswer.Ack, "", cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> TakePlaceAsync() => HasPlace = await places.WaitAsync(TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);

    private void WriteExport(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, export.Size);
        BinaryPrimitives.WriteUInt16BigEndian(to[8..], (ushort)NbdExport.Features);
    }

    private Task AnswerUnknownAsync(NbdOption option, CancellationToken cancellationToken) =>
        AnswerAsync(option, NbdAnswer.Unknown, "There is no disk by this name.", cancellationToken);

    private Task AnswerAsync(NbdOption option, NbdAnswer answer, string text, CancellationToken cancellationToken) =>
        AnswerAsync(option, answer, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text), cancellationToken);

    private async Task AnswerAsync(NbdOption option, NbdAnswer answer, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        byte[] reply = new byte[20 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(reply, NbdProtocol.OptionReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(12), (uint)answer);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(16), (uint)data.Length);
        data.CopyTo(reply.AsMemory(20));
        await stream.WriteAsync(reply, cancellationToken).ConfigureAwait(false);
    }
}
