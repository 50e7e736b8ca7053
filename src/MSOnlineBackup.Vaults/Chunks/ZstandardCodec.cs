using System.Buffers.Binary;

namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>
/// One Zstandard frame for one run of bytes: libzstd, or where that cannot be loaded (musl, and processors for which the package has none) its translation
/// into managed code, which gives the same frames in about twice the time. An instance is used by one thread at a time.
/// </summary>
internal abstract class ZstandardCodec : IDisposable
{
    // What the fastest tools of the field take by default; higher ones are for who asks.
    private const int Level = 1;

    private const uint FrameMagic = 0xfd2fb528;

    private static readonly Func<ZstandardCodec> _make = Choose();

    // About a megabyte of tables in each direction: one for each thread that works on chunks, made when it first does.
    [ThreadStatic]
    private static ZstandardCodec? _codec;

    /// <summary>The calling thread's.</summary>
    public static ZstandardCodec OfThread => _codec ??= _make();

    /// <summary>libzstd.</summary>
    /// <exception cref="DllNotFoundException">It cannot be loaded.</exception>
    public static ZstandardCodec Native() => new OfLibrary();

    /// <summary>Managed code.</summary>
    public static ZstandardCodec Managed() => new OfPort();

    /// <summary>How long a frame can become, whatever is in it.</summary>
    public static int RoomFor(int length) => length + (length >> 8) + 512;

    /// <summary>Compresses.</summary>
    /// <param name="plaintext">What.</param>
    /// <param name="destination">Has <see cref="RoomFor"/> the plaintext.</param>
    /// <returns>The length of the frame.</returns>
    public abstract int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination);

    /// <summary>Decompresses; false where the bytes are not a frame that gives exactly <paramref name="destination"/>'s length.</summary>
    public bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> destination) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(encoded, out uint magic) && magic == FrameMagic && TryDecodeFrame(encoded, destination);

    /// <inheritdoc/>
    /// <remarks>Those of threads are given back when their threads have ended, by the finalizers of what they hold.</remarks>
    public abstract void Dispose();

    /// <summary>Decompresses what begins as a frame does.</summary>
    protected abstract bool TryDecodeFrame(ReadOnlySpan<byte> encoded, Span<byte> destination);

    private static Func<ZstandardCodec> Choose()
    {
        try
        {
            Native().Dispose();
            return Native;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or TypeInitializationException)
        {
            return Managed;
        }
    }

    private sealed class OfLibrary : ZstandardCodec
    {
        private static readonly ZstdNet.CompressionOptions _options = new(Level);

        private readonly ZstdNet.Compressor _compressor = new(_options);
        private ZstdNet.Decompressor? _decompressor;

        public override int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination) => _compressor.Wrap(plaintext, destination);

        public override void Dispose()
        {
            _compressor.Dispose();
            _decompressor?.Dispose();
        }

        protected override bool TryDecodeFrame(ReadOnlySpan<byte> encoded, Span<byte> destination)
        {
            try
            {
                return (_decompressor ??= new ZstdNet.Decompressor()).Unwrap(encoded, destination, bufferSizePrecheck: false) == destination.Length;
            }
            catch (ZstdNet.ZstdException)
            {
                return false;
            }
        }
    }

    private sealed class OfPort : ZstandardCodec
    {
        private readonly ZstdSharp.Compressor _compressor = new(Level);
        private readonly ZstdSharp.Decompressor _decompressor = new();

        public override int Encode(ReadOnlySpan<byte> plaintext, Span<byte> destination) => _compressor.Wrap(plaintext, destination);

        public override void Dispose()
        {
            _compressor.Dispose();
            _decompressor.Dispose();
        }

        protected override bool TryDecodeFrame(ReadOnlySpan<byte> encoded, Span<byte> destination)
        {
            try
            {
                return _decompressor.TryUnwrap(encoded, destination, out int written) && written == destination.Length;
            }
            catch (ZstdSharp.ZstdException)
            {
                return false;
            }
        }
    }
}
