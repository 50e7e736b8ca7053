namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// A Reed–Solomon code over <see cref="GaloisField"/>: a row of parity is the sum of all columns of data, each multiplied by 1 / (row + 96 + column). Whichever
/// columns are lost, as many rows as are lost give them back, for every square part of such a (Cauchy) matrix has an inverse. Rows and columns mean the same
/// however many there are: so a column can be added later, or taken away.
/// </summary>
internal static class CauchyCode
{
    /// <summary>The most columns.</summary>
    public const int MaxColumns = 160;

    /// <summary>The most rows.</summary>
    public const int MaxRows = 256 - MaxColumns;

    /// <summary>By what a column is multiplied in a row.</summary>
    /// <param name="row">0 to 95.</param>
    /// <param name="column">0 to 159.</param>
    public static byte Coefficient(int row, int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)MaxRows);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)MaxColumns);
        return GaloisField.Inverse((byte)(row ^ (MaxRows + column)));
    }

    /// <summary>How lost columns come from rows of which all other columns were subtracted.</summary>
    /// <param name="columns">The lost columns, each once.</param>
    /// <param name="rows">As many rows, each once.</param>
    /// <returns>For each lost column the factors of the rows, in their order.</returns>
    public static byte[][] Solve(ReadOnlySpan<int> columns, ReadOnlySpan<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Length, columns.Length);
        int count = columns.Length;
        byte[][] matrix = new byte[count][];
        byte[][] inverse = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            matrix[i] = new byte[count];
            inverse[i] = new byte[count];
            inverse[i][i] = 1;
            for (int j = 0; j < count; j++)
            {
                matrix[i][j] = Coefficient(rows[i], columns[j]);
            }
        }

        for (int i = 0; i < count; i++)
        {
            // There is one: the matrix has an inverse.
            int pivot = Array.FindIndex(matrix, i, line => line[i] != 0);
            (matrix[i], matrix[pivot]) = (matrix[pivot], matrix[i]);
            (inverse[i], inverse[pivot]) = (inverse[pivot], inverse[i]);
            byte scale = GaloisField.Inverse(matrix[i][i]);
            Scale(matrix[i], scale);
            Scale(inverse[i], scale);
            for (int other = 0; other < count; other++)
            {
                byte factor = matrix[other][i];
                if (other != i && factor != 0)
                {
                    GaloisField.MultiplyAdd(factor, matrix[i], matrix[other]);
                    GaloisField.MultiplyAdd(factor, inverse[i], inverse[other]);
                }
            }
        }

        return inverse;
    }

    private static void Scale(byte[] line, byte factor)
    {
        for (int i = 0; i < line.Length; i++)
        {
            line[i] = GaloisField.Multiply(line[i], factor);
        }
    }
}
